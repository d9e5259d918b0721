// SPDX-License-Identifier: MIT
/*
 * utc.c - OpenSSL's gmtime_r(), without a file.
 *
 * libc's reads the time zone before it does what needs none: at the first call it opens
 * /etc/localtime, at a low number, in a program that may be closing or counting its descriptors at
 * that moment (random_file.c tells what comes of it). OpenSSL calls it to see whether a certificate
 * has expired.
 *
 * libnoblockdns-resolver.so is linked with --wrap=gmtime_r, so that the static OpenSSL comes here;
 * where it is a shared library, or the option is missing, this is never called. Any thread.
 */
#include <stdbool.h>
#include <time.h>

#define DAY_S	  86400
#define DAYS_400Y 146097 /* in 400 years of the Gregorian calendar */

struct tm *__wrap_gmtime_r(const time_t *t, struct tm *ret);

static long floor_div(long a, long b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(long year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Years begin on March 1 here, so that the day that comes and goes is their last. */
struct tm *__wrap_gmtime_r(const time_t *t, struct tm *ret)
{
	long days = floor_div(*t, DAY_S), second = *t - days * DAY_S;
	long since = days + 719468; /* 1 March of the year 0 */
	long era = floor_div(since, DAYS_400Y), day = since - era * DAYS_400Y;
	long year = (day - day / 1460 + day / 36524 - day / (DAYS_400Y - 1)) / 365;
	long month; /* 0: March */

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	*ret = (struct tm){
		.tm_sec = (int)(second % 60),
		.tm_min = (int)(second / 60 % 60),
		.tm_hour = (int)(second / 3600),
		.tm_mday = (int)(day - (153 * month + 2) / 5 + 1),
		.tm_mon = (int)(month < 10 ? month + 2 : month - 10),
		.tm_year = (int)(year + era * 400 + (month >= 10) - 1900),
		.tm_wday =
			(int)(days + 4 - 7 * floor_div(days + 4, 7)), /* 1 January 1970: Thursday */
		/* 1 March is the 60th day of a year of 365, and January its 307th from there */
		.tm_yday = (int)(day < 306 ? day + 59 : day - 306),
	};
	if (day < 306 && is_leap(year + era * 400))
		ret->tm_yday++;
	return ret;
}
