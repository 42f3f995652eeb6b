/*
   What every part of psdnet shares with a program that uses it: start, finish, and how errors reach the caller.

   A mistake of the user (a missing file, an option out of range) is not a defect of the program: it is agreed upon by all
   ranks, kept as one line of text, and returned as PSD_ERR_INPUT without a traceback. Everything else is a PETSc error.
*/
#ifndef PSDBASE_H
#define PSDBASE_H

#include <petscsys.h>

#define PSD_VERSION "0.1.0"

/* Returned by every rank of a collective call when the input is at fault; PsdErrorMessage() then says what is wrong. */
#define PSD_ERR_INPUT ((PetscErrorCode)PETSC_ERR_USER_INPUT)

/*
   PsdInitialize - starts MPI and PETSc, sets one BLAS thread a rank unless the environment asks for another number, and
   installs the error handler that keeps PSD_ERR_INPUT silent.

   Collective on MPI_COMM_WORLD. argc, argv: as given to main. help: text printed with -help, or NULL.
*/
PETSC_EXTERN PetscErrorCode PsdInitialize(int *argc, char ***argv, const char help[]);

/* PsdFinalize - ends PETSc and MPI. Collective on MPI_COMM_WORLD. */
PETSC_EXTERN PetscErrorCode PsdFinalize(void);

/* PsdErrorMessage - the line that explains the last PSD_ERR_INPUT, the same on every rank; "" when there was none. */
PETSC_EXTERN const char *PsdErrorMessage(void);

#endif
