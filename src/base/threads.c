/*
   BLAS threads. Ranks already fill the cores, so each gets one thread unless the environment asks for another number.
   The BLAS is whichever was linked or preloaded, so its functions are looked up by name in the running program.

   OpenBLAS takes work space for a thread when that first calls it, keeps it, and where there is none asks for it for
   ever. So it is called here, once it is known that the space is there.
*/
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "base.h"
#include <dlfcn.h>
#include <petscblaslapack.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef void (*SetThreads)(int);
typedef int (*GetThreads)(void);
typedef void (*SetThreadsLong)(long);
typedef long (*GetThreadsLong)(void);

/* BLIS counts in its dim_t, a long; the others in int */
static const struct {
  const char *set, *get;
  PetscBool is_long;
} libraries[] = {
    {"openblas_set_num_threads", "openblas_get_num_threads", PETSC_FALSE},
    {"MKL_Set_Num_Threads", "MKL_Get_Max_Threads", PETSC_FALSE},
    {"bli_thread_set_num_threads", "bli_thread_get_num_threads", PETSC_TRUE},
};
#define LIBRARIES (sizeof(libraries) / sizeof(libraries[0]))

static PetscBool EnvironmentAsks(void)
{
  static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
                                          "BLIS_NUM_THREADS"};

  for (size_t k = 0; k < sizeof(variables) / sizeof(variables[0]); k++) {
    const char *value = getenv(variables[k]);
    if (value && *value) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

#define WORK_SPACE 128 /* MB, of a thread of OpenBLAS where it takes the most */
#define SPARE 32       /* MB, for MPI and HDF5: where there is nothing for these to start with they crash */

static PetscErrorCode TakeWorkSpace(void)
{
  PetscFunctionBeginUser;
  const PetscBLASInt one = 1;
  const PetscScalar unit = 1, zero = 0;
  PetscScalar y = 0;
  if (!dlsym(RTLD_DEFAULT, libraries[0].set)) PetscFunctionReturn(0);
  const size_t bytes = (size_t)(WORK_SPACE + SPARE) << 20;
  void *space = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  PetscCheck(space != MAP_FAILED, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "OpenBLAS and other libraries need %d MB to start with", WORK_SPACE + SPARE);
  (void)munmap(space, bytes);
  PetscCallBLAS("BLASsymm", BLASsymm_("L", "U", &one, &one, &unit, &unit, &one, &unit, &one, &zero, &y, &one));
  PetscFunctionReturn(0);
}

static void AskForOne(void)
{
  for (size_t k = 0; k < LIBRARIES; k++) {
    void *set = dlsym(RTLD_DEFAULT, libraries[k].set);
    if (!set) continue;
    if (libraries[k].is_long) (*(SetThreadsLong *)&set)(1);
    else (*(SetThreads *)&set)(1);
  }
}

PetscErrorCode PsdThreadsSetUp(void)
{
  PetscFunctionBeginUser;
  PetscCall(TakeWorkSpace());
  if (EnvironmentAsks()) PetscFunctionReturn(0);
  AskForOne();
  PetscCall(PetscInfo(NULL, "BLAS threads on this rank: %" PetscInt_FMT "\n", PsdThreadsGet()));
  PetscFunctionReturn(0);
}

PetscInt PsdThreadsGet(void)
{
  for (size_t k = 0; k < LIBRARIES; k++) {
    void *get = dlsym(RTLD_DEFAULT, libraries[k].get);
    if (!get) continue;
    /* BLIS says -1 when nothing was ever set: it then uses one */
    const long number = libraries[k].is_long ? (*(GetThreadsLong *)&get)() : (*(GetThreads *)&get)();
    return number > 0 ? (PetscInt)number : 1;
  }
  return 1;
}
