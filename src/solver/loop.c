/*
   The loop's order of things. After an iteration: the bounds, when their turn has come; the penalty; a checkpoint,
   when it is due or the run ends; the end.

   A checkpoint of a run that ends goes before the bounds that are looked at only because it ends, so that a run that
   goes on from it does as one that was not stopped. A run that a signal or the clock ends is done once it is written;
   one whose checkpoint cannot be written ends with what it has.
*/
#include "loop.h"

/* A run that begins has not come to its limit, whatever the last round of it did; one that goes on from a file may
   have. */
static PetscBool IsAtLimit(const PsdLoop *it)
{
  return (PetscBool)((!it->begins || it->resumed) && it->iteration >= it->max_it);
}

PsdSolverReason PsdLoopReason(const PsdLoop *it)
{
  if (it->reached) return PSD_GAP_REACHED;
  if (it->spent) return PSD_ROUNDING_LIMIT;
  if (IsAtLimit(it)) return PSD_ITERATION_LIMIT;
  if (it->requests.signal) return PSD_SIGNAL;
  return it->requests.time ? PSD_TIME_LIMIT : PSD_RUNNING;
}

PsdLoopAction PsdLoopDecide(const PsdLoop *it, PsdSolverReason *reason)
{
  const PsdSolverReason why = *reason = PsdLoopReason(it);
  const PetscBool ends = (PetscBool)(why != PSD_RUNNING),
                  asked_to_end = (PetscBool)(why == PSD_SIGNAL || why == PSD_TIME_LIMIT);

  /* where the loop begins bounds are not looked at for their turn's sake: they were, or there is nothing to see */
  if (!it->begins && it->due && !it->checked) return PSD_LOOP_CHECK;
  if (it->checked && !it->adapted && !ends) return PSD_LOOP_ADAPT;
  if (it->keeps && !it->asked && !ends) return PSD_LOOP_ASK;
  if (it->keeps && it->asked && !it->saved && (it->requests.save || ends)) return PSD_LOOP_SAVE;
  if (it->written && asked_to_end) {
    *reason = PSD_CHECKPOINTED;
    return PSD_LOOP_END;
  }
  /* nothing was found yet that the run could end with */
  if (it->begins && asked_to_end) *reason = PSD_RUNNING;
  if (*reason == PSD_RUNNING) return PSD_LOOP_ITERATE;
  return it->checked ? PSD_LOOP_END : PSD_LOOP_CHECK;
}
