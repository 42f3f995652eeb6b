/*
   The state of a program as a list that is gone through: once to give everything a name and a place in a file, once
   to write it, and once, later, to read it. Who owns a part of the state exports one function that visits it, so that
   what is written and what is read cannot differ.

   Arrays go by pairs or by samples, wherever these are held, so that any number of ranks reads what another wrote.
   Whatever is wrong with a file that is read is recorded, with its name, and becomes the error of all ranks at the
   next agreement.
*/
#ifndef PSD_VISITOR_PRIVATE_H
#define PSD_VISITOR_PRIVATE_H

#include "archive.h"
#include <petscvec.h>

typedef struct _p_PsdVisitor *PsdVisitor;

/* Who holds what: `length` consecutive numbers, from `begin` on, of the D x C matrix of all pairs by columns, and consecutive
   samples with C numbers each. */
typedef struct {
  MPI_Comm comm;
  PetscInt D, begin, length;
  PetscInt samples, C, first_sample, local_samples;
} PsdStateLayout;

/* Visits a part of the state; all ranks visit the same in the same order. */
typedef PetscErrorCode (*PsdVisit)(PsdVisitor visitor, void *context);

/* The largest number that a state may hold, in the units that a program is solved in, where numbers are of the order of 1: what the
   solver makes of it, products of three numbers and sums of them, stays finite. */
#define PSD_STATE_LARGEST 1e100
#define PSD_STATE_REAL ((PsdRange){-PSD_STATE_LARGEST, PSD_STATE_LARGEST, PETSC_FALSE})
#define PSD_STATE_POSITIVE ((PsdRange){0, PSD_STATE_LARGEST, PETSC_TRUE})
#define PSD_STATE_NONNEGATIVE ((PsdRange){0, PSD_STATE_LARGEST, PETSC_FALSE})

/* PsdStateWrite - what `visit` goes through as a new file `path`, or, after a failure, none. Collective. Returns
   PSD_ERR_INPUT on all ranks when the file cannot be written. */
PetscErrorCode PsdStateWrite(MPI_Comm comm, const char path[], const char format[], PetscInt version,
                             const PsdStateLayout *layout, PsdVisit visit, void *context);
/* PsdStateRead - the same from a file that is open; parts of the state may be read one after the other. Collective.
   Agrees. */
PetscErrorCode PsdStateRead(PsdArchive archive, const PsdStateLayout *layout, PsdVisit visit, void *context);

/* Whether numbers are being read, so that there is something to be checked and to follow from them; whether they are
   being written. */
PetscBool PsdVisitorIsReading(PsdVisitor visitor);
PetscBool PsdVisitorIsWriting(PsdVisitor visitor);
/* PsdVisitorWork - work space until the end of the visit, however it ends; work: where its address goes. Not collective. */
PetscErrorCode PsdVisitorWork(PsdVisitor visitor, size_t bytes, void *work);
/* PsdVisitorFail - what is read cannot be right: kept, in one line after the file's name. On any rank. */
void PsdVisitorFail(PsdVisitor visitor, const char format[], ...) PSD_FORMAT(2, 3);
/* PsdVisitorAgree - reading ends here when something has failed; before a number that was read is used as an index.
   Collective. */
PetscErrorCode PsdVisitorAgree(PsdVisitor visitor);

/* ---------------------------------------------------------------- single numbers

   The same on all ranks. Collective. */

/* PsdVisitInt - low <= value <= high is demanded of what is read; what is not so is `low` until the agreement. */
PetscErrorCode PsdVisitInt(PsdVisitor visitor, const char name[], PetscInt low, PetscInt high, PetscInt *value);
PetscErrorCode PsdVisitBool(PsdVisitor visitor, const char name[], PetscBool *value);
/* PsdVisitReal - what is read is demanded to be in `range`; what is not so stays until the agreement. */
PetscErrorCode PsdVisitReal(PsdVisitor visitor, const char name[], PsdRange range, PetscReal *value);
/* PsdVisitSum - a rank's part of a sum over all ranks. The file has the sum, which rank 0 reads, and the others 0. */
PetscErrorCode PsdVisitSum(PsdVisitor visitor, const char name[], PsdRange range, PetscReal *part);
/* text: PSD_ARCHIVE_TEXT bytes */
PetscErrorCode PsdVisitText(PsdVisitor visitor, const char name[], char text[]);

/* ---------------------------------------------------------------- arrays

   Their names begin with '/'. Pairs, samples and rows that are read have no number larger than PSD_STATE_LARGEST. Collective
   but for PsdVisitRows. */

/* PsdVisitPairs - one svec a pair, on the pair's owner. */
PetscErrorCode PsdVisitPairs(PsdVisitor visitor, const char name[], Vec x);
/* PsdVisitSamples - C numbers a sample, row-major, this rank's. */
PetscErrorCode PsdVisitSamples(PsdVisitor visitor, const char name[], PetscReal values[]);
/* PsdVisitReplicated - rows x columns, row-major, the same on all ranks. Agrees, when reading. */
PetscErrorCode PsdVisitReplicated(PsdVisitor visitor, const char name[], PetscInt rows, PetscInt columns,
                                  PetscReal values[]);
/* PsdVisitorCheckLargest - the same of numbers that were read otherwise. Not collective. */
void PsdVisitorCheckLargest(PsdVisitor visitor, const char name[], PetscInt64 count, const PetscReal numbers[]);
/* PsdVisitRowCount - when reading *rows is how many rows the file has of an array whose length is not known
   otherwise, at most `most`; before PsdVisitReplicated. Agrees, when reading. */
PetscErrorCode PsdVisitRowCount(PsdVisitor visitor, const char name[], PetscInt columns, PetscInt most, PetscInt *rows);

/* An array whose rows are visited a few at a time, by whoever has them: lists of what belongs to pairs or blocks,
   large matrices. */
typedef struct {
  const char *name; /* the caller's */
  PetscInt number;
  PetscInt64 columns;
} PsdVisitedArray;

PetscErrorCode PsdVisitArray(PsdVisitor visitor, const char name[], PetscInt64 rows, PetscInt64 columns,
                             PsdVisitedArray *array);
/* PsdVisitRows - rows first .. first+count-1. Every row is visited by exactly one rank. Not collective. */
void PsdVisitRows(PsdVisitor visitor, PsdVisitedArray array, PetscInt64 first, PetscInt64 count, PetscReal rows[]);

#endif
