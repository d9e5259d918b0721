// SPDX-License-Identifier: MIT
/* test_tls_auth.c - which servers are believed to be who they should be, and what the log says. */
#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dot_rig.h"
#include "resolver/tls_anchor.h"

static struct rig rig;

/* "sha256/BASE64" to octets. */
static void set_pin(const char *pin)
{
	unsigned char octets[36];

	cr_assert_eq(EVP_DecodeBlock(octets, (const unsigned char *)strchr(pin, '/') + 1, 44), 33);
	memcpy(rig.conf.pins[rig.conf.npins++], octets, 32);
}

static void set_wrong_pin(void)
{
	memset(rig.conf.pins[rig.conf.npins++], 0x55, 32);
}

static void set_host(const char *host)
{
	snprintf(rig.upstream.host, sizeof(rig.upstream.host), "%s", host);
}

static void must_pass(void)
{
	const struct rig_call *call;

	rig_open(&rig);
	call = rig_lookup(&rig, "www.test");
	cr_expect_eq(call->error, 0, "%s", rig.host.log);
	cr_expect(call->authenticated);
	rig_close(&rig);
}

static void must_fail(const char *words)
{
	rig_open(&rig);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -EACCES);
	cr_expect(strstr(rig.host.log, words), "not \"%s\":\n%s", words, rig.host.log);
	cr_expect_eq(lab_dns_count(rig.server, NULL, LAB_ANY_TYPE, LAB_ANY_TRANSPORT), 0,
		     "a question was sent");
	rig_close(&rig);
}

/* ---- strict ---- */

Test(tls_auth, name_is_found_in_subject_alt_name)
{
	rig_serve(&rig, "names dns.test,other.test", "");
	set_host("dns.test");
	must_pass();
}

Test(tls_auth, name_is_sent_and_address_is_not)
{
	rig_serve(&rig, "names dns.test,127.0.0.1", "");
	rig_open(&rig);
	rig_lookup(&rig, "www.test");
	cr_expect_str_eq(rig_tls(&rig).sni, "");
	set_host("dns.test");
	rig_reopen(&rig);
	rig_lookup(&rig, "www.test");
	cr_expect_str_eq(rig_tls(&rig).sni, "dns.test");
	rig_close(&rig);
}

static const struct {
	const char *tls, *host, *words;
} refused[] = {
	{"cert wrong-name", "dns.test", "the certificate is for another name"},
	{"cert wrong-name", "", "the certificate is for another address"},
	{"names dns.test", "", "the certificate is for another address"},
	{"cert cn-only names dns.test", "dns.test", "the certificate is for another name"},
	{"cert expired", "dns.test", "the certificate has expired"},
	{"cert not-yet", "dns.test", "the certificate is not valid yet"},
	{"cert self-signed", "dns.test", "the certificate is self-signed"},
	{"cert unknown-ca", "dns.test", "the certificate's issuer is not known"},
	{"cert unknown-ca version 1.2", "dns.test", "the certificate's issuer is not known"},
};

Test(tls_auth, bad_certificate_is_refused_in_words)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		rig_serve(&rig, refused[i].tls, "");
		set_host(refused[i].host);
		must_fail(refused[i].words);
	}
}

Test(tls_auth, authority_that_cannot_be_read_is_said)
{
	rig_serve(&rig, "cert good", "");
	rig.conf.ca_file = "/nonexistent/ca.pem";
	must_fail("no file of certificate authorities can be read");
}

Test(tls_auth, same_cause_is_logged_once)
{
	char *first;

	rig_serve(&rig, "cert expired", "");
	rig_open(&rig);
	rig_lookup(&rig, "www.test");
	rig_lookup(&rig, "www.test");
	first = strstr(rig.host.log, "has expired");
	cr_assert_not_null(first);
	cr_expect_null(strstr(first + 1, "has expired"));
	rig_close(&rig);
}

/* ---- pins ---- */

Test(tls_auth, pin_alone_needs_no_authority)
{
	rig_serve(&rig, "cert self-signed", "");
	rig.conf.ca_file = "/nonexistent/ca.pem";
	set_wrong_pin();
	set_pin(lab_ca_server_pin());
	must_pass();
}

Test(tls_auth, pin_alone_needs_neither_name_nor_time)
{
	static const char *const certs[] = {"cert wrong-name", "cert expired", "cert not-yet"};

	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		rig_serve(&rig, certs[i], "");
		set_pin(lab_ca_server_pin());
		must_pass();
	}
}

Test(tls_auth, wrong_pin_alone_is_refused)
{
	rig_serve(&rig, "cert good", "");
	set_wrong_pin();
	must_fail("the certificate does not match the pin");
}

Test(tls_auth, name_and_pin_must_both_be_right)
{
	rig_serve(&rig, "names dns.test", "");
	set_host("dns.test");
	set_pin(lab_ca_server_pin());
	must_pass();

	rig_serve(&rig, "names dns.test", "");
	set_host("dns.test");
	set_wrong_pin();
	must_fail("the certificate does not match the pin");

	rig_serve(&rig, "cert wrong-name", "");
	set_host("dns.test");
	set_pin(lab_ca_server_pin());
	must_fail("the certificate is for another name");
}

/* The authority is in the chain, if not in what the server presents. */
Test(tls_auth, pin_of_the_authority_matches)
{
	rig_serve(&rig, "names dns.test", "");
	set_host("dns.test");
	set_pin(lab_ca_pin());
	must_pass();
}

/* ---- opportunistic ---- */

Test(tls_auth, opportunistic_takes_anybody_and_says_so)
{
	static const char *const certs[] = {"cert self-signed", "cert expired", "cert wrong-name",
					    "cert unknown-ca version 1.2"};

	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		const struct rig_call *call;

		rig_serve(&rig, certs[i], "");
		rig.conf.opportunistic = true;
		rig_open(&rig);
		call = rig_lookup(&rig, "www.test");
		cr_expect_eq(call->error, 0);
		cr_expect_not(call->authenticated, "%s", certs[i]);
		rig_close(&rig);
	}
}

Test(tls_auth, opportunistic_knows_a_good_server)
{
	rig_serve(&rig, "cert good", "");
	rig.conf.opportunistic = true;
	must_pass();
}

Test(tls_auth, doubt_outlives_the_session)
{
	const struct rig_call *call;

	rig_serve(&rig, "cert self-signed", "");
	rig.conf.opportunistic = true;
	rig_open(&rig);
	rig_lookup(&rig, "www.test");
	rig_reopen(&rig);
	call = rig_lookup(&rig, "www.test");
	cr_expect_eq(rig_tls(&rig).resumed, 1);
	cr_expect_not(call->authenticated);
	rig_close(&rig);
}

/* ---- authorities ---- */

Test(tls_auth, system_bundle_is_searched_for_what_the_chain_needs)
{
	static struct fake_host host;
	struct reactor reactor;
	struct resolver_tls conf = {.npins = 0};
	struct tls_context *tls;
	STACK_OF(X509) * presented, *anchors;

	if (access("/etc/ssl/certs/ca-certificates.crt", R_OK))
		cr_skip_test("no bundle of authorities");
	fake_host_init(&host);
	reactor_init(&reactor, &host.host);
	cr_assert_eq(tls_context_open(&reactor, &conf, &tls), 0);
	cr_assert_eq(tls_context_load(tls), 0);
	presented = sk_X509_new_null();
	cr_assert_eq(tls_anchor_find(tls, presented, &anchors), 0);
	cr_expect_eq(sk_X509_num(anchors), 0, "nothing is needed");
	sk_X509_pop_free(anchors, X509_free);
	sk_X509_free(presented);
	tls_context_close(tls);
	reactor_fini(&reactor);
}

/* Each authority of the bundle is found, alone, when it is the issuer that is looked for. */
Test(tls_auth, every_authority_of_the_bundle_is_found)
{
	static struct fake_host host;
	struct reactor reactor;
	struct resolver_tls conf = {.npins = 0};
	struct tls_context *tls;
	unsigned n = 0;
	BIO *bundle = BIO_new_file("/etc/ssl/certs/ca-certificates.crt", "r");
	X509 *cert;

	if (!bundle)
		cr_skip_test("no bundle of authorities");
	fake_host_init(&host);
	reactor_init(&reactor, &host.host);
	cr_assert_eq(tls_context_open(&reactor, &conf, &tls), 0);
	cr_assert_eq(tls_context_load(tls), 0);
	while (n < 20 && (cert = PEM_read_bio_X509(bundle, NULL, NULL, NULL))) {
		STACK_OF(X509) *presented = sk_X509_new_null(), *anchors;
		bool found = false;

		sk_X509_push(presented, cert);
		cr_assert_eq(tls_anchor_find(tls, presented, &anchors), 0);
		for (int i = 0; i < sk_X509_num(anchors); i++)
			found |= !X509_cmp(cert, sk_X509_value(anchors, i));
		cr_expect(found, "authority %u", n);
		sk_X509_pop_free(anchors, X509_free);
		sk_X509_pop_free(presented, X509_free);
		n++;
	}
	BIO_free(bundle);
	tls_context_close(tls);
	reactor_fini(&reactor);
}
