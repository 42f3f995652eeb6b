/*
   What an object begins with that several others hold, none of them its only owner: it goes when the last one lets go of
   it. Who holds it need not know what it is.
*/
#ifndef PSD_SHARED_PRIVATE_H
#define PSD_SHARED_PRIVATE_H

#include <petscsys.h>

typedef struct {
  PetscInt holders;
  PetscErrorCode (*destroy)(void *object); /* frees all of it */
} PsdShared;

/* PsdSharedHold - one holder more; NULL is nobody's. Not collective. */
static inline void PsdSharedHold(void *object)
{
  if (object) ((PsdShared *)object)->holders++;
}

/* PsdSharedRelease - one holder less, and the end of the object after the last. Collective as its destruction is. */
static inline PetscErrorCode PsdSharedRelease(void *object)
{
  PetscFunctionBeginUser;
  PsdShared *shared = object;
  if (shared && --shared->holders == 0) PetscCall((*shared->destroy)(object));
  PetscFunctionReturn(0);
}

#endif
