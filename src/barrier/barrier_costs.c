/*
   What the barrier method takes: all of it on the root.
*/
#include "barrier.h"
#include "newton_system.h"

#define ITERATIONS 80 /* to a gap of 1e-4, where they are many */

PetscReal PsdBarrierIterations(const PsdSizes *s)
{
  (void)s;
  return ITERATIONS;
}

/* Classes that go together */
static PetscReal Together(const PsdSizes *s, const PsdLoss *loss)
{
  return loss->ops->separable ? 1 : (PetscReal)s->C;
}

PetscReal PsdBarrierWork(const PsdSizes *s, const PsdLoss *loss)
{
  const PetscReal classes = Together(s, loss);
  const PetscReal order = PsdNewtonSystemOrder(s->n, s->D, classes), groups = s->C / classes;
  const PetscReal inner = order < s->D * classes ? s->D : s->n;
  const PetscReal features = 4 * s->n * s->pairs * s->d_max * s->d_max * s->d_max;
  return features + groups * (order * order * inner * classes + order * order * order / 3) +
         20 * s->pairs * s->d_max * s->d_max * s->d_max;
}

PetscReal PsdBarrierBytes(const PsdSizes *s, const PsdLoss *loss)
{
  const PetscReal classes = Together(s, loss), order = PsdNewtonSystemOrder(s->n, s->D, classes), G = s->G;
  const PetscReal systems = s->C / classes * order * (order + 4 * G * classes);
  return PSD_BYTES_REAL * (s->n * s->D * (s->C + 3) + systems + 14 * s->D * s->C + 20 * s->n * s->C +
                           14 * s->pairs * s->d_max * s->d_max);
}

PetscErrorCode PsdBarrierPlan(void *data, const PsdSolverJob *job, PsdSolverPlan *plan)
{
  PetscFunctionBeginUser;
  (void)data;
  const PsdSizes *s = job->sizes;
  PsdMemory *memory = &plan->memory;
  const PetscReal images = s->n_local * (s->image + 4 * PSD_BYTES_REAL * s->C);
  const PetscReal features = PetscMin(s->feature_memory, PSD_BYTES_REAL * s->n_local * s->D);
  plan->iterations = job->iterations > 0 ? job->iterations : (PetscInt)PsdBarrierIterations(s);
  plan->kernels = 0;
  memory->count = 0;
  PsdMemoryAdd(memory, "program and libraries", PSD_PHASE_READ, PSD_PHASE_WRITE, job->node->program,
               job->node->program);
  PsdMemoryAdd(memory, "images and targets", PSD_PHASE_READ, PSD_PHASE_WRITE, images, images);
  PsdMemoryAdd(memory, "lifted features", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, features, features);
  PsdMemoryAdd(memory, "samples and Newton system", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, PsdBarrierBytes(s, job->loss),
               0);
  plan->cost[PSD_PHASE_LIFT] = (PsdCost){.seconds = s->n_local * job->rates->lift};
  plan->cost[PSD_PHASE_SOLVE] = PsdCostWork(plan->iterations * PsdBarrierWork(s, job->loss), job->rates->gemm);
  plan->cost[PSD_PHASE_CERTIFY] = PsdCostWork(8 * s->n_local * s->D * s->C, job->rates->gemm);
  PetscFunctionReturn(0);
}
