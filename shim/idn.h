// SPDX-License-Identifier: MIT
/*
 * idn.h - AI_IDN and AI_CANONIDN: conversion between the locale's characters and the DNS encoding
 * (IDNA 2008, RFC 5891), by libidn2 as glibc 2.36 calls it.
 *
 * libidn2.so.0 is opened on the calling thread, once, at the first name that is not plain ASCII.
 */
#ifndef NOBLOCKDNS_IDN_H
#define NOBLOCKDNS_IDN_H

#include <stdbool.h>

/* Would glibc hand this name to libidn2 for AI_IDN? A few nanoseconds. */
bool idn_needs_encoding(const char *name);

/*
 * AI_IDN. 0 and a string of malloc() in *ret, also where the name is plain ASCII; else EAI_MEMORY
 * or EAI_IDN_ENCODE.
 */
int idn_to_dns(const char *name, char **ret);

/*
 * AI_CANONIDN. 0 and a string of malloc() in *ret, the name itself where it cannot or need not be
 * converted; else EAI_MEMORY.
 */
int idn_from_dns(const char *name, char **ret);

#endif
