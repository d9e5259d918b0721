// SPDX-License-Identifier: MIT
/*
 * result_table.h - tables of what tests expected and what came, printed when all tests have run.
 * Any process of a test may add lines.
 */
#ifndef RESULT_TABLE_H
#define RESULT_TABLE_H

enum result_table { RESULT_RACES, RESULT_FAULTS, RESULT_TABLES };

#define RESULT_CELLS 5

/* Lines are printed in the order of their `row`. */
void result_table_add(enum result_table table, unsigned row, const char *const cells[RESULT_CELLS]);

#endif
