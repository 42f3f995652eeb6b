/*
   Phases of a run: a PetscLog stage and a wall clock each. Begin and End come once a chunk of images, so all they do is
   read the clock; a stage is registered the first time its phase begins.
*/
#include "base.h"

const char *PsdPhaseName(PsdPhase phase)
{
  static const char *const names[PSD_PHASE_COUNT] = {"read", "lift", "gram", "factor", "solve", "certify", "write"};
  return names[phase];
}

static struct {
  PetscBool registered;
  PetscLogStage stage;
  PetscLogDouble seconds;
} phases[PSD_PHASE_COUNT];

static int current = -1; /* the phase that is open, or -1 */
static PetscLogDouble current_start;

/* Stages live as long as one PetscInitialize. */
static PetscErrorCode ForgetPhases(void)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(phases, sizeof(phases)));
  current = -1;
  PetscFunctionReturn(0);
}

static PetscErrorCode RegisterPhase(PsdPhase phase)
{
  static const char *const stage_names[PSD_PHASE_COUNT] = {
      "psdnet read", "psdnet lift", "psdnet gram", "psdnet factor", "psdnet solve", "psdnet certify", "psdnet write"};
  PetscBool first = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (int k = 0; k < PSD_PHASE_COUNT; k++) first = (PetscBool)(first && !phases[k].registered);
  if (first) PetscCall(PetscRegisterFinalize(ForgetPhases));
  PetscCall(PetscLogStageRegister(stage_names[phase], &phases[phase].stage));
  phases[phase].registered = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPhaseBegin(PsdPhase phase)
{
  PetscFunctionBeginUser;
  /* an input error may have left one open */
  if (current >= 0) PetscCall(PsdPhaseEnd((PsdPhase)current));
  if (!phases[phase].registered) PetscCall(RegisterPhase(phase));
  PetscCall(PetscLogStagePush(phases[phase].stage));
  current = (int)phase;
  current_start = MPI_Wtime();
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPhaseEnd(PsdPhase phase)
{
  PetscFunctionBeginUser;
  PetscCheck(current == (int)phase, PETSC_COMM_SELF, PETSC_ERR_ORDER, "Phase %s ends but has not begun",
             PsdPhaseName(phase));
  phases[phase].seconds += MPI_Wtime() - current_start;
  current = -1;
  PetscCall(PetscLogStagePop());
  PetscFunctionReturn(0);
}

int PsdPhaseCurrent(void)
{
  return current;
}

PetscLogDouble PsdPhaseSeconds(PsdPhase phase)
{
  return phases[phase].seconds + (current == (int)phase ? MPI_Wtime() - current_start : 0);
}
