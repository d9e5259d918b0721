// SPDX-License-Identifier: MIT
/* verb_doctor.c - `noblockdns doctor`: can CMD be wrapped, and is all well with this machine? */
#include "shim/log.h"
#include "shim/settings_build.h"
#include "shim/tool/doctor.h"
#include "shim/tool/say.h"
#include "shim/tool/verb.h"

#include <stddef.h>

struct values {
	bool json, offline;
};

static const struct option_spec options[] = {
	OPTION_JSON(struct values, json),
	{.name = "offline",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, offline),
	 .help = "ask no upstream"},
	{0},
};

static void examine_machine(struct doctor *d, bool offline)
{
	static struct config config;
	struct settings_stamp stamp;
	struct doctor_families families = {0};
	struct settings *settings;

	log_configure(LOG_ERROR, "/dev/null"); /* what the shim would say, we say as findings */
	doctor_configuration(d, &config);
	settings = settings_build(&config, NULL, &stamp);
	if (settings && !offline)
		doctor_upstreams(d, settings, &families);
	if (settings)
		settings_free(settings);
	else
		d->no_memory = true;
	doctor_ipv6(d, &families);
	doctor_nsswitch(d, config.private);
	doctor_cache(d, &config);
	doctor_clock(d);
	doctor_process(d);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct values values = {0};
	struct doctor d = {0};
	int first, status = options_parse(verb, argc, argv, &values, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		doctor_command(&d, argv[first]);
	examine_machine(&d, values.offline);
	if (d.no_memory)
		status = say_trouble("doctor: not all could be looked at: no memory");
	else
		status = doctor_worst(&d, NULL) == DOCTOR_BAD ? TOOL_FINDING : TOOL_FINE;
	if (values.json)
		doctor_print_json(&d);
	else
		doctor_print(&d);
	doctor_free(&d);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.summary = "tell whether a command can be wrapped, and what is wrong with this machine",
	.synopsis = "[OPTION...] [--] [CMD [ARGUMENT...]]",
	.more = "Looks at CMD, running nothing of it, and at what the shim depends on: "
		"configuration, upstreams (each is asked one question over each transport), "
		"nsswitch.conf, IPv6, the cache, the clock. The exit status is 1 if something "
		"that matters was found.",
	.options = options,
	.variables = true,
	.command = true,
	.run = run,
};
