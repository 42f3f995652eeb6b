/*
   PetscLog events of the solve, registered when the first of them begins.
*/
#include "base.h"

static PetscLogEvent events[PSD_EVENT_COUNT];
static PetscBool registered;

static PetscErrorCode ForgetEvents(void)
{
  PetscFunctionBeginUser;
  registered = PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode RegisterEvents(void)
{
  static const char *const names[PSD_EVENT_COUNT] = {"PsdFactor", "PsdConsensus", "PsdMultiply",  "PsdProject",
                                                     "PsdPolar",  "PsdDecompose", "PsdCheckpoint"};
  PetscClassId id;
  PetscFunctionBeginUser;
  PetscCall(PetscClassIdRegister("psdnet", &id));
  for (int k = 0; k < PSD_EVENT_COUNT; k++) PetscCall(PetscLogEventRegister(names[k], id, &events[k]));
  PetscCall(PetscRegisterFinalize(ForgetEvents));
  registered = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEventBegin(PsdEvent event)
{
  PetscFunctionBeginUser;
  if (!registered) PetscCall(RegisterEvents());
  PetscCall(PetscLogEventBegin(events[event], NULL, NULL, NULL, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEventEnd(PsdEvent event)
{
  PetscFunctionBeginUser;
  PetscCall(PetscLogEventEnd(events[event], NULL, NULL, NULL, NULL));
  PetscFunctionReturn(0);
}
