/*
   The options of a plan.
*/
#include "plan_impl.h"
#include "types/choose_solver.h"

static PetscErrorCode SetSamplesFromOptions(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PetscInt count = 3;
  PetscBool given;
  PetscCall(PsdOptionInt("-images", "training images", 1, PETSC_MAX_INT, &plan->images, NULL));
  PetscCall(PsdOptionIntList("-image", "channels x height x width of an image, as 3x32x32", 'x', 1, 65535, plan->image,
                             &count, &given));
  PsdCheckInput(!given || count == 3, "option -image: found %" PetscInt_FMT " numbers, expected 3, as in 3x32x32",
                count);
  PetscCall(PsdOptionBool("-flip", "mirror images as well", &plan->mirror, NULL));
  PetscCall(PsdOptionShifts(&plan->shifts));
  PetscCall(PsdOptionInt("-class_count", "classes, with -images", 2, 65535, &plan->classes, NULL));
  PetscCall(PsdOptionInt("-output_count", "real targets of an image, with -images, in the place of classes", 1, 1024,
                         &plan->outputs, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetRatesFromOptions(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PetscReal rates[PSD_RATES];
  PetscInt count = PSD_RATES;
  PetscBool given;
  PetscCall(
      PsdOptionRealList("-rates",
                        "of a rank of another machine: dgemm,dsyrk,dpotrf in GFLOP/s,memory in GB/s[,lifting in ms an "
                        "image,dsyevd in ms a block[,ssyrk in GFLOP/s]], as plan prints them there",
                        rates, &count, &given));
  if (given) PetscCall(PsdPlanSetRates(plan, count, rates));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetFromOptions(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PetscCall(PsdOptionsHeading("What is planned"));
  PetscCall(SetSamplesFromOptions(plan));
  PetscCall(PsdOptionInt("-ranks", "ranks of the run [those of this one]", 1, PETSC_MAX_INT, &plan->ranks, NULL));
  PetscCall(PsdOptionInt("-ranks_per_node", "ranks that share a node's memory [all]", 1, PETSC_MAX_INT,
                         &plan->ranks_per_node, NULL));
  PetscCall(
      PsdOptionReal("-node_memory", "GB of a node; 0 = this machine's", PSD_NONNEGATIVE, &plan->node_memory, NULL));
  PetscCall(
      PsdOptionReal("-latency", "microseconds of a message between nodes", PSD_NONNEGATIVE, &plan->latency, NULL));
  PetscCall(PsdOptionReal("-node_bandwidth", "GB/s of a node to others, which its ranks share", PSD_POSITIVE,
                          &plan->bandwidth, NULL));
  PetscCall(SetRatesFromOptions(plan));
  PetscCall(PsdOptionInt("-iterations", "iterations of the solver [as many as are usual]", 1, PETSC_MAX_INT,
                         &plan->iterations, NULL));
  PetscCall(PsdSolverPlanFromOptions(plan->solver));
  PetscFunctionReturn(0);
}
