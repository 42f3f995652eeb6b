/* What the loop does next, in all cases there are: it comes to an iteration or to the end, does nothing twice and
 * nothing before its turn, ends for the first reason there is, with bounds or with a checkpoint; and a few runs from
 * begin to end, step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "solver/loop.h"

/* ---------------------------------------------------------------- all cases */

static const PetscInt iterations[] = {0, 5, 6}, limits[] = {5, 6, 100};
#define BITS 14

static PsdLoop Case(PetscInt iteration, PetscInt max_it, unsigned bits)
{
  PetscBool bit[BITS];
  for (unsigned k = 0; k < BITS; k++) bit[k] = (PetscBool)(bits >> k & 1);
  return (PsdLoop){iteration, max_it, bit[12], bit[0], bit[1], bit[2], bit[3],
                   bit[4],    bit[5], bit[13], bit[6], bit[7], bit[8], {bit[9], bit[10], bit[11]}};
}

/* Facts that do not contradict each other. */
static PetscBool CanBe(const PsdLoop *it)
{
  const PetscBool requested = (PetscBool)(it->requests.signal || it->requests.time || it->requests.save);
  if ((it->reached || it->spent || it->adapted) && !it->checked) return PETSC_FALSE;
  if (it->written && !it->saved) return PETSC_FALSE;
  if (it->saved && !(it->keeps && it->asked)) return PETSC_FALSE;
  if (requested && !it->asked) return PETSC_FALSE;
  if (it->begins && it->asked && !it->keeps) return PETSC_FALSE;
  if (!it->begins && (it->resumed || !it->asked || it->iteration == 0)) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Runs `judge` on every case; their number. */
static PetscInt ForAll(void (*judge)(const PsdLoop *))
{
  PetscInt count = 0;
  for (size_t i = 0; i < sizeof(iterations) / sizeof(*iterations); i++) {
    for (size_t k = 0; k < sizeof(limits) / sizeof(*limits); k++) {
      for (unsigned bits = 0; bits < 1u << BITS; bits++) {
        const PsdLoop it = Case(iterations[i], limits[k], bits);
        if (!CanBe(&it)) continue;
        judge(&it);
        count++;
      }
    }
  }
  return count;
}

/* Goes on with every outcome that the action may have; `room` actions at most. */
static void WalkOn(const PsdLoop *now, PetscInt room)
{
  PsdSolverReason reason;
  PsdLoop next = *now;
  assert_true(room > 0);
  switch (PsdLoopDecide(now, &reason)) {
  case PSD_LOOP_ITERATE:
  case PSD_LOOP_END:
    return;
  case PSD_LOOP_ASK:
    next.asked = PETSC_TRUE;
    for (unsigned k = 0; k < 8; k++) {
      next.requests = (PsdRequests){(PetscBool)(k & 1), (PetscBool)(k >> 1 & 1), (PetscBool)(k >> 2 & 1)};
      WalkOn(&next, room - 1);
    }
    return;
  case PSD_LOOP_CHECK:
    next.checked = PETSC_TRUE;
    WalkOn(&next, room - 1);
    next.reached = PETSC_TRUE;
    WalkOn(&next, room - 1);
    next.reached = PETSC_FALSE;
    next.spent = PETSC_TRUE;
    break;
  case PSD_LOOP_ADAPT:
    next.adapted = PETSC_TRUE;
    break;
  case PSD_LOOP_SAVE:
    next.saved = PETSC_TRUE;
    WalkOn(&next, room - 1);
    next.written = PETSC_TRUE;
    break;
  }
  WalkOn(&next, room - 1);
}

static void Arrives(const PsdLoop *it)
{
  WalkOn(it, 5); /* one of each kind */
}

static void AlwaysArrivesAtAnIterationOrTheEnd(void **state)
{
  (void)state;
  assert_true(ForAll(Arrives) > 1000);
}

static void IsNew(const PsdLoop *it)
{
  PsdSolverReason reason;
  const PsdLoopAction action = PsdLoopDecide(it, &reason);
  if (action == PSD_LOOP_CHECK) assert_false(it->checked);
  if (action == PSD_LOOP_ADAPT) assert_true(it->checked && !it->adapted && reason == PSD_RUNNING);
  if (action == PSD_LOOP_ASK) assert_true(it->keeps && !it->asked);
  if (action == PSD_LOOP_SAVE) assert_true(it->keeps && !it->saved);
}

static void DoesNothingTwiceNorWithoutNeed(void **state)
{
  (void)state;
  ForAll(IsNew);
}

/* The first that holds: the gap, no progress, the limit, a signal, the time. A round that begins has yet to come to its limit. */
static void HasItsReason(const PsdLoop *it)
{
  const PetscBool at_limit = (PetscBool)(it->iteration >= it->max_it), counts = (PetscBool)(!it->begins || it->resumed);
  const PsdSolverReason reason = PsdLoopReason(it);
  if (it->reached) assert_int_equal(reason, PSD_GAP_REACHED);
  else if (it->spent) assert_int_equal(reason, PSD_ROUNDING_LIMIT);
  else if (at_limit && counts) assert_int_equal(reason, PSD_ITERATION_LIMIT);
  else if (it->requests.signal) assert_int_equal(reason, PSD_SIGNAL);
  else if (it->requests.time) assert_int_equal(reason, PSD_TIME_LIMIT);
  else assert_int_equal(reason, PSD_RUNNING);
}

static void TheFirstReasonIsTheOne(void **state)
{
  (void)state;
  ForAll(HasItsReason);
}

/* Bounds are known, or the state is in a file and somebody else wants the run to end. */
static void EndsWell(const PsdLoop *it)
{
  PsdSolverReason reason;
  if (PsdLoopDecide(it, &reason) != PSD_LOOP_END) return;
  if (reason == PSD_CHECKPOINTED) {
    const PsdSolverReason why = PsdLoopReason(it);
    assert_true(it->written && (why == PSD_SIGNAL || why == PSD_TIME_LIMIT));
  } else {
    assert_int_equal(reason, PsdLoopReason(it));
    assert_true(reason != PSD_RUNNING && it->checked);
    if (reason == PSD_SIGNAL || reason == PSD_TIME_LIMIT) assert_false(it->written);
  }
  if (it->keeps && !it->begins) assert_true(it->saved);
}

static void EndsWithBoundsOrACheckpoint(void **state)
{
  (void)state;
  ForAll(EndsWell);
}

/* Only where there is no reason to end, or where the loop begins and could not leave a checkpoint; after what was
   due. */
static void MayGoOn(const PsdLoop *it)
{
  PsdSolverReason reason;
  const PsdSolverReason why = PsdLoopReason(it);
  if (PsdLoopDecide(it, &reason) != PSD_LOOP_ITERATE) return;
  assert_int_equal(reason, PSD_RUNNING);
  if (why != PSD_RUNNING) assert_true(it->begins && !it->written && (why == PSD_SIGNAL || why == PSD_TIME_LIMIT));
  if (!it->begins && it->due) assert_true(it->checked && it->adapted);
  if (it->checked && why == PSD_RUNNING) assert_true(it->adapted);
  if (it->keeps) assert_true(it->asked);
  if (it->keeps && it->requests.save) assert_true(it->saved);
}

static void IteratesWhenAllIsDone(void **state)
{
  (void)state;
  ForAll(MayGoOn);
}

/* So that a run that goes on from it does not see a check that the end of this one brought about. */
static void KeepsTheStateBeforeTheLastCheck(const PsdLoop *it)
{
  PsdSolverReason reason;
  const PsdLoopAction action = PsdLoopDecide(it, &reason);
  if (action == PSD_LOOP_CHECK && it->keeps && !it->begins && !it->due) assert_true(it->saved);
  if (action == PSD_LOOP_SAVE && !it->begins && it->due) assert_true(it->checked);
}

static void SavesBeforeTheCheckOfTheEnd(void **state)
{
  (void)state;
  ForAll(KeepsTheStateBeforeTheLastCheck);
}

/* ---------------------------------------------------------------- runs, step by step

   I iterates, A asks, C checks, P adapts the penalty, S saves, E ends. Bounds are checked every third time. */

typedef struct {
  PsdLoop begin;
  PetscInt reached, signal, save; /* at the iterations from these on; < 0: never */
  PetscBool unwritable;
} Run;

#define NEVER (-1)

static PetscBool From(PetscInt at, PetscInt iteration)
{
  return (PetscBool)(at >= 0 && iteration >= at);
}

static void Ask(const Run *run, PsdLoop *it)
{
  it->asked = PETSC_TRUE;
  it->requests.signal = From(run->signal, it->iteration);
  it->requests.save = (PetscBool)(it->keeps && run->save == it->iteration);
}

/* Bounds are looked at every third iteration. */
static PsdLoop Iterated(const PsdLoop *it)
{
  const PetscInt iteration = it->iteration + 1;
  return (PsdLoop){iteration, it->max_it, .due = (PetscBool)(iteration % 3 == 0), .keeps = it->keeps};
}

static void Act(const Run *run, PsdLoopAction action, PsdLoop *it)
{
  if (action == PSD_LOOP_ITERATE) *it = Iterated(it);
  if (action == PSD_LOOP_ITERATE || action == PSD_LOOP_ASK) Ask(run, it);
  if (action == PSD_LOOP_CHECK) it->checked = PETSC_TRUE;
  if (action == PSD_LOOP_CHECK) it->reached = From(run->reached, it->iteration);
  if (action == PSD_LOOP_ADAPT) it->adapted = PETSC_TRUE;
  if (action == PSD_LOOP_SAVE) it->saved = PETSC_TRUE;
  if (action == PSD_LOOP_SAVE) it->written = (PetscBool)!run->unwritable;
}

static void Goes(const Run *run, const char expected[], PsdSolverReason end)
{
  static const char letters[] = {[PSD_LOOP_ITERATE] = 'I', [PSD_LOOP_ASK] = 'A',  [PSD_LOOP_CHECK] = 'C',
                                 [PSD_LOOP_ADAPT] = 'P',   [PSD_LOOP_SAVE] = 'S', [PSD_LOOP_END] = 'E'};
  char steps[64] = "";
  PsdLoop it = run->begin;
  PsdSolverReason reason;
  for (size_t k = 0; k < sizeof(steps) - 1; k++) {
    const PsdLoopAction action = PsdLoopDecide(&it, &reason);
    steps[k] = letters[action];
    if (action == PSD_LOOP_END) break;
    Act(run, action, &it);
  }
  assert_string_equal(steps, expected);
  assert_int_equal(reason, end);
}

static PsdLoop Fresh(PetscInt max_it, PetscBool keeps)
{
  return (PsdLoop){.max_it = max_it, .keeps = keeps, .begins = PETSC_TRUE};
}

static void WithoutACheckpoint(void **state)
{
  (void)state;
  Goes(&(Run){Fresh(7, PETSC_FALSE), NEVER, NEVER, NEVER, PETSC_FALSE}, "IIICPIIICPICE", PSD_ITERATION_LIMIT);
  Goes(&(Run){Fresh(6, PETSC_FALSE), NEVER, NEVER, NEVER, PETSC_FALSE}, "IIICPIIICE", PSD_ITERATION_LIMIT);
  Goes(&(Run){Fresh(9, PETSC_FALSE), 4, NEVER, NEVER, PETSC_FALSE}, "IIICPIIICE", PSD_GAP_REACHED);
  Goes(&(Run){Fresh(4, PETSC_FALSE), 4, NEVER, NEVER, PETSC_FALSE}, "IIICPICE", PSD_GAP_REACHED);
  Goes(&(Run){Fresh(9, PETSC_FALSE), NEVER, 2, NEVER, PETSC_FALSE}, "IICE", PSD_SIGNAL);
}

static void WithACheckpoint(void **state)
{
  (void)state;
  Goes(&(Run){Fresh(7, PETSC_TRUE), NEVER, NEVER, 3, PETSC_FALSE}, "AIIICPSIIICPISCE", PSD_ITERATION_LIMIT);
  Goes(&(Run){Fresh(9, PETSC_TRUE), 3, NEVER, 1, PETSC_FALSE}, "AISIICSE", PSD_GAP_REACHED);
  Goes(&(Run){Fresh(9, PETSC_TRUE), NEVER, 2, NEVER, PETSC_FALSE}, "AIISE", PSD_CHECKPOINTED);
  Goes(&(Run){Fresh(9, PETSC_TRUE), NEVER, 3, NEVER, PETSC_FALSE}, "AIIICSE", PSD_CHECKPOINTED);
  Goes(&(Run){Fresh(9, PETSC_TRUE), NEVER, 0, NEVER, PETSC_FALSE}, "ASE", PSD_CHECKPOINTED);
}

static void WithACheckpointThatCannotBeWritten(void **state)
{
  (void)state;
  Goes(&(Run){Fresh(9, PETSC_TRUE), NEVER, 2, NEVER, PETSC_TRUE}, "AIISCE", PSD_SIGNAL);
  Goes(&(Run){Fresh(9, PETSC_TRUE), NEVER, 0, NEVER, PETSC_TRUE}, "ASISCE", PSD_SIGNAL);
  Goes(&(Run){Fresh(4, PETSC_TRUE), NEVER, NEVER, 2, PETSC_TRUE}, "AIISICPISCE", PSD_ITERATION_LIMIT);
}

static PsdLoop Resumed(PetscInt iteration, PetscInt max_it, PetscBool checked, PetscBool reached)
{
  return (PsdLoop){iteration,
                   max_it,
                   3,
                   .keeps = PETSC_TRUE,
                   .begins = PETSC_TRUE,
                   .resumed = PETSC_TRUE,
                   .checked = checked,
                   .reached = reached};
}

static void FromAFile(void **state)
{
  (void)state;
  Goes(&(Run){Resumed(6, 8, PETSC_FALSE, PETSC_FALSE), NEVER, NEVER, NEVER, PETSC_FALSE}, "AIISCE",
       PSD_ITERATION_LIMIT);
  Goes(&(Run){Resumed(6, 8, PETSC_TRUE, PETSC_FALSE), NEVER, NEVER, NEVER, PETSC_FALSE}, "PAIISCE",
       PSD_ITERATION_LIMIT);
  Goes(&(Run){Resumed(6, 6, PETSC_FALSE, PETSC_FALSE), NEVER, NEVER, NEVER, PETSC_FALSE}, "CE", PSD_ITERATION_LIMIT);
  Goes(&(Run){Resumed(6, 6, PETSC_TRUE, PETSC_FALSE), NEVER, NEVER, NEVER, PETSC_FALSE}, "E", PSD_ITERATION_LIMIT);
  Goes(&(Run){Resumed(6, 6, PETSC_TRUE, PETSC_TRUE), NEVER, NEVER, NEVER, PETSC_FALSE}, "E", PSD_GAP_REACHED);
  Goes(&(Run){Resumed(6, 8, PETSC_TRUE, PETSC_FALSE), NEVER, 0, NEVER, PETSC_FALSE}, "PASE", PSD_CHECKPOINTED);
}

/* The certificate asked for another round: it is begun though the last one came to the limit as well. */
static void InAnotherRound(void **state)
{
  (void)state;
  PsdLoop begin = Fresh(6, PETSC_FALSE);
  begin.iteration = 6;
  Goes(&(Run){begin, NEVER, NEVER, NEVER, PETSC_FALSE}, "ICE", PSD_ITERATION_LIMIT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(AlwaysArrivesAtAnIterationOrTheEnd),
                                     cmocka_unit_test(DoesNothingTwiceNorWithoutNeed),
                                     cmocka_unit_test(TheFirstReasonIsTheOne),
                                     cmocka_unit_test(EndsWithBoundsOrACheckpoint),
                                     cmocka_unit_test(IteratesWhenAllIsDone),
                                     cmocka_unit_test(SavesBeforeTheCheckOfTheEnd),
                                     cmocka_unit_test(WithoutACheckpoint),
                                     cmocka_unit_test(WithACheckpoint),
                                     cmocka_unit_test(WithACheckpointThatCannotBeWritten),
                                     cmocka_unit_test(FromAFile),
                                     cmocka_unit_test(InAnotherRound)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
