/*
   The temporary names that this process writes files under, so that none is left when it ends before they are whole: by
   an error, or by any signal that can be caught (signals.c). A name is kept from before the file is made until it is
   renamed or removed. The names have fixed places, because a signal handler may look at them at any moment.
*/
#include "base.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MOST 16 /* files of a run that are under way at a time; more are written, but not looked after */

static struct {
  volatile sig_atomic_t used;
  char path[PETSC_MAX_PATH_LEN];
} names[MOST];

PetscBool PsdTemporaryIsKept(const char path[])
{
  for (int k = 0; k < MOST; k++)
    if (names[k].used && !strcmp(names[k].path, path)) return PETSC_TRUE;
  return PETSC_FALSE;
}

void PsdTemporaryKeep(const char path[])
{
  for (int k = 0; k < MOST; k++) {
    if (names[k].used) continue;
    (void)snprintf(names[k].path, sizeof(names[k].path), "%s", path);
    names[k].used = 1;
    return;
  }
}

void PsdTemporaryForget(const char path[])
{
  for (int k = 0; k < MOST; k++)
    if (names[k].used && !strcmp(names[k].path, path)) names[k].used = 0;
}

/* Only what a signal handler may call. */
void PsdFileAbandonAll(void)
{
  for (int k = 0; k < MOST; k++) {
    if (!names[k].used) continue;
    (void)unlink(names[k].path);
    names[k].used = 0;
  }
}
