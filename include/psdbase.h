/*
   What every part of psdnet shares with a program that uses it: start, finish, and how errors reach the caller.

   A mistake of the user (a missing file, an option out of range) is not a defect of the program: it is agreed upon by
   all ranks, kept as one line of text, and returned as PSD_ERR_INPUT without a traceback. Everything else is a PETSc
   error.
*/
#ifndef PSDBASE_H
#define PSDBASE_H

#include <petscsys.h>

#define PSD_VERSION "0.1.0"

/* Before each function that libpsdnet offers; its other names stay inside. */
#if defined(__GNUC__)
#define PSD_VISIBLE __attribute__((visibility("default")))
#else
#define PSD_VISIBLE
#endif
#if defined(__cplusplus)
#define PSD_EXTERN extern "C" PSD_VISIBLE
#else
#define PSD_EXTERN extern PSD_VISIBLE
#endif

/* Returned by every rank of a collective call when the input is at fault; PsdErrorMessage() then says what is wrong. */
#define PSD_ERR_INPUT ((PetscErrorCode)PETSC_ERR_USER_INPUT)

/*
   PsdInitialize - Starts psdnet: MPI, PETSc and SLEPc as far as they are not started yet, one BLAS thread a rank
   unless the environment asks for another number, and the error handler that keeps PSD_ERR_INPUT free of tracebacks.

   Collective on PETSC_COMM_WORLD. Calling it a second time before PsdFinalize does nothing.

   Input:
     argc, argv - as given to main, for PETSc's options; not looked at when the caller has started PETSc
     help       - text that PETSc prints for -help, or NULL

   When the caller has started PETSc, that is all that happens, and PsdFinalize leaves PETSc running. The error
   handler then lies on top of PETSc's stack of handlers until PsdFinalize, so a handler that the caller pushes in
   between has to be popped before. When psdnet starts PETSc, it also takes out PETSc's signal handlers: a crash of
   one rank is a line on standard error and the end of the process by its signal, signals that end a process leave no
   temporary files, and a file beyond its limit (SIGXFSZ) is an error of write(). HDF5's own messages are off until
   PsdFinalize; HDF5_USE_FILE_LOCKING is FALSE unless it is set.

   Options: PETSc's own. Errors: PSD_ERR_INPUT when PETSc cannot start with what the user gave (an -options_file that
   is missing, no regular file, or names itself, say); on several ranks the job is then aborted, because some of them may be waiting inside PETSc.
*/
PSD_EXTERN PetscErrorCode PsdInitialize(int *argc, char ***argv, const char help[]);

/*
   PsdFinalize - Ends what PsdInitialize has started; without it, and after a PetscFinalize of the caller's, nothing
   happens. All objects must be destroyed before. Files that were begun and not ended are removed.

   Collective on PETSC_COMM_WORLD.
*/
PSD_EXTERN PetscErrorCode PsdFinalize(void);

/*
   PsdErrorMessage - The line that explains the last PSD_ERR_INPUT, the same on every rank of the call that returned
   it; "" when there was none. The text is the library's and changes with the next such error.

   Not collective.
*/
PSD_EXTERN const char *PsdErrorMessage(void);

#endif
