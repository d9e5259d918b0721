// SPDX-License-Identifier: MIT
/* test_utc.c - resolver/utc.c beside libc's gmtime_r(). */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

struct tm *__wrap_gmtime_r(const time_t *t, struct tm *ret);

static void must_agree(time_t t)
{
	struct tm ours, libcs;

	cr_assert_eq(__wrap_gmtime_r(&t, &ours), &ours);
	gmtime_r(&t, &libcs);
	cr_assert(ours.tm_sec == libcs.tm_sec && ours.tm_min == libcs.tm_min &&
			  ours.tm_hour == libcs.tm_hour && ours.tm_mday == libcs.tm_mday &&
			  ours.tm_mon == libcs.tm_mon && ours.tm_year == libcs.tm_year &&
			  ours.tm_wday == libcs.tm_wday && ours.tm_yday == libcs.tm_yday &&
			  !ours.tm_isdst,
		  "%lld: %d-%d-%d day %d, weekday %d; libc has %d-%d-%d day %d, weekday %d",
		  (long long)t, ours.tm_year, ours.tm_mon, ours.tm_mday, ours.tm_yday, ours.tm_wday,
		  libcs.tm_year, libcs.tm_mon, libcs.tm_mday, libcs.tm_yday, libcs.tm_wday);
}

/* 1370 to 2570: every kind of leap year, and both sides of 1970. */
Test(utc, every_day_of_1200_years_agrees_with_libc)
{
	for (long day = -219146; day < 219146; day++) {
		must_agree(day * 86400);
		must_agree(day * 86400 + 86399);
	}
}

Test(utc, every_second_of_a_day_agrees_with_libc)
{
	for (time_t t = 0; t < 86400; t++)
		must_agree(t);
}
