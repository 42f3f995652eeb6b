/*
   BLAS threads. Ranks already fill the cores, so each gets one thread unless the environment asks for another number.
   The BLAS is whichever was linked or preloaded, so its functions are looked up by name in the running program.
*/
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "base.h"
#include <dlfcn.h>
#include <stdlib.h>

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

PetscErrorCode PsdThreadsSetUp(void)
{
  PetscFunctionBeginUser;
  if (EnvironmentAsks()) PetscFunctionReturn(0);
  for (size_t k = 0; k < LIBRARIES; k++) {
    void *set = dlsym(RTLD_DEFAULT, libraries[k].set);
    if (!set) continue;
    if (libraries[k].is_long) (*(SetThreadsLong *)&set)(1);
    else (*(SetThreads *)&set)(1);
  }
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
