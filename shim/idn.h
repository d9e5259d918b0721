// SPDX-License-Identifier: MIT
/*
 * idn.h - AI_IDN and AI_CANONIDN: conversion between the locale's characters and the DNS encoding
 * (IDNA 2008, RFC 5891), by libidn2 as glibc 2.36 calls it.
 *
 * libidn2.so.0 is opened on the calling thread, at the first name that needs it. Any thread.
 */
#ifndef NOBLOCKDNS_IDN_H
#define NOBLOCKDNS_IDN_H

/*
 * AI_IDN. 0 and a string of malloc() in *ret, a copy where the name is plain ASCII (then nothing is
 * opened); else what getaddrinfo() returns: EAI_IDN_ENCODE (also where there is no libidn2),
 * EAI_MEMORY, EAI_SYSTEM with errno.
 */
int idn_to_dns(const char *name, char **ret);

/*
 * AI_CANONIDN. 0 and a string of malloc() in *ret, a copy of the name where it cannot be converted;
 * else EAI_MEMORY. Opens libidn2 for every name, as glibc does.
 */
int idn_from_dns(const char *name, char **ret);

#endif
