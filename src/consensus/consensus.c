/*
   The consensus: what is done alike with every kernel, and what only one form of them is asked for.
*/
#include "base/base.h"
#include "consensus_impl.h"
#include "problem/samples.h"

PetscErrorCode PsdConsensusCreate(PsdConsensus *consensus)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(consensus));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusSetFromOptions(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  PetscCall(PsdConsensusAsk(&consensus->kernel));
  PetscFunctionReturn(0);
}

void PsdConsensusSetKernel(PsdConsensus consensus, const PsdConsensusKernel *kernel)
{
  consensus->kernel = kernel;
}

const PsdConsensusKernel *PsdConsensusGetKernel(PsdConsensus consensus)
{
  return consensus->kernel;
}

PetscErrorCode PsdConsensusRequire(PsdConsensus consensus, PetscBool samples, const char path[])
{
  PetscFunctionBeginUser;
  char names[PSD_MESSAGE_LENGTH / 4];
  consensus->required = samples ? PSD_FORM_SAMPLES : PSD_FORM_GRAM;
  PsdConsensusFormNames(consensus->required, sizeof(names), names);
  PsdCheckInput(!consensus->kernel || consensus->kernel->form == consensus->required,
                "%s: its run used -consensus %s, which -consensus %s cannot go on from", path, names,
                consensus->kernel->name);
  PetscFunctionReturn(0);
}

PsdConsensusForm PsdConsensusGetRequired(PsdConsensus consensus)
{
  return consensus->required;
}

void PsdConsensusPrefer(PsdConsensus consensus, PsdConsensusForm form)
{
  if (consensus->required == PSD_FORM_ANY) consensus->required = form;
}

void PsdConsensusKeepGram(PsdConsensus consensus, const char path[], PetscBool resume)
{
  consensus->gram_path = path;
  consensus->gram_resume = resume;
}

PetscErrorCode PsdConsensusAssemble(PsdConsensus consensus, PsdProblem problem)
{
  PetscFunctionBeginUser;
  consensus->problem = problem;
  consensus->blocks = problem->blocks;
  PetscCheck(consensus->kernel, problem->comm, PETSC_ERR_ARG_WRONGSTATE, "No kernel has been set");
  if (consensus->gram_path && PsdConsensusUsesSamples(consensus))
    PetscCall(PetscPrintf(problem->comm, "gram     consensus %s has no A'A to keep in %s\n", consensus->kernel->name,
                          consensus->gram_path));
  PetscCall(PsdProblemCreateGradient(problem));
  PetscCall(VecDuplicate(problem->h, &consensus->rhs));
  consensus->target = problem->h;
  PetscCall((*consensus->kernel->ops->assemble)(consensus));
  if (problem->single) {
    PetscBool in_range;
    if (!problem->loss.ops->splits) PetscCall(PsdConsensusBeginSingle(consensus));
    PetscCall(PsdConsensusIsInRange(consensus, &in_range));
    if (!in_range) PetscCall(PsdConsensusLeaveSingle(consensus));
  }
  PsdCheckInput(!PetscIsInfOrNanReal(consensus->trace),
                "lifted features overflow: see -pixel_shift, -pixel_scale, -activation and the preprocessing");
  PetscFunctionReturn(0);
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_FACTOR));
  const PetscErrorCode code = (*consensus->kernel->ops->factor)(consensus, shift);
  PetscCall(PsdEventEnd(PSD_EVENT_FACTOR));
  if (code != PSD_ERR_INPUT) PetscCall(code);
  consensus->shift = shift;
  PetscFunctionReturn(code);
}

/* In single precision A'A may be less definite than the shift makes up for. */
PetscErrorCode PsdConsensusFactor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  const PetscErrorCode code = Factor(consensus, shift);
  if (code != PSD_ERR_INPUT || !PsdConsensusIsSingle(consensus)) PetscFunctionReturn(code);
  PetscCall(PsdConsensusLeaveSingle(consensus));
  PetscCall(Factor(consensus, shift));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusLeaveSingle(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  const PetscInt phase = PsdPhaseCurrent();
  PetscCall(PetscInfo(NULL, "A'A is made anew in double precision\n"));
  PetscCall((*consensus->kernel->ops->destroy)(consensus));
  consensus->data = NULL;
  consensus->gram_resume = PETSC_FALSE;
  consensus->trace = 0;
  PetscCall(PsdProblemLeaveSingle(consensus->problem));
  PetscCall(PsdConsensusEndSingle(consensus));
  PetscCall((*consensus->kernel->ops->assemble)(consensus));
  if (phase >= 0 && phase != PsdPhaseCurrent()) PetscCall(PsdPhaseBegin((PsdPhase)phase));
  PetscFunctionReturn(0);
}

PetscReal PsdConsensusGetTrace(PsdConsensus consensus)
{
  return consensus->trace;
}

PetscReal PsdConsensusGetShift(PsdConsensus consensus)
{
  return consensus->shift;
}

PetscReal PsdConsensusShiftFloor(PsdConsensus consensus)
{
  return 16 * PETSC_MACHINE_EPSILON * consensus->trace;
}

void PsdConsensusSetTarget(PsdConsensus consensus, Vec target)
{
  consensus->target = target;
}

PetscErrorCode PsdConsensusStep(PsdConsensus consensus, Vec Sh, Vec S)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_CONSENSUS));
  PetscCall((*consensus->kernel->ops->step)(consensus, Sh, S));
  PetscCall(PsdEventEnd(PSD_EVENT_CONSENSUS));
  PetscFunctionReturn(0);
}

PetscBool PsdConsensusUsesSamples(PsdConsensus consensus)
{
  return (PetscBool)(consensus->kernel->form == PSD_FORM_SAMPLES);
}

PetscErrorCode PsdConsensusFollow(PsdConsensus consensus, const PsdFactors *difference, PetscReal relaxation)
{
  PetscFunctionBeginUser;
  if (!PsdConsensusUsesSamples(consensus)) PetscFunctionReturn(0);
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->kernel->ops->samples.follow)(consensus, difference, relaxation));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusRestart(PsdConsensus consensus, Vec difference)
{
  PetscFunctionBeginUser;
  if (PsdConsensusUsesSamples(consensus)) PetscCall((*consensus->kernel->ops->samples.restart)(consensus, difference));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusRescale(PsdConsensus consensus, PetscReal factor)
{
  PetscFunctionBeginUser;
  if (PsdConsensusUsesSamples(consensus)) PetscCall((*consensus->kernel->ops->samples.rescale)(consensus, factor));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *part, Vec M)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->kernel->ops->residual)(consensus, w, factors, part, M));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *part)
{
  PetscFunctionBeginUser;
  PetscCall((*consensus->kernel->ops->step_residual)(consensus, S, M, part));
  PetscFunctionReturn(0);
}

void PsdConsensusGetStepResidual(PsdConsensus consensus, const PetscReal *nu[])
{
  *nu = NULL;
  if (PsdConsensusUsesSamples(consensus)) (*consensus->kernel->ops->samples.get_residual)(consensus, nu);
}

PetscErrorCode PsdConsensusVisit(PsdConsensus consensus, PsdVisitor visitor)
{
  PetscFunctionBeginUser;
  if (PsdConsensusUsesSamples(consensus)) PetscCall((*consensus->kernel->ops->samples.visit)(consensus, visitor));
  PetscCall(PsdConsensusVisitCorrection(consensus, visitor));
  PetscFunctionReturn(0);
}

PetscBool PsdConsensusCanSolve(PsdConsensus consensus)
{
  return (PetscBool)(consensus->kernel->form == PSD_FORM_GRAM);
}

PetscErrorCode PsdConsensusSolve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall((*consensus->kernel->ops->gram.solve)(consensus, rhs, x));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusMultiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->kernel->ops->gram.multiply)(consensus, x, y));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusKrylovStart(PsdConsensus consensus, Vec *start, PetscBool *weighted)
{
  PetscFunctionBeginUser;
  *weighted = PsdConsensusUsesSamples(consensus);
  PetscCall((*consensus->kernel->ops->krylov_start)(consensus, start));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusKrylovMultiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->kernel->ops->krylov_multiply)(consensus, x, y));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusDestroy(PsdConsensus *consensus)
{
  PetscFunctionBeginUser;
  if (!*consensus) PetscFunctionReturn(0);
  if ((*consensus)->data) PetscCall((*(*consensus)->kernel->ops->destroy)(*consensus));
  PetscCall(PsdArchiveDestroy(&(*consensus)->gram_archive)); /* of a run that ended before it was read */
  PetscCall(PsdConsensusEndSingle(*consensus));
  PetscCall(VecDestroy(&(*consensus)->rhs));
  PetscCall(PetscFree(*consensus));
  PetscFunctionReturn(0);
}
