/* The consensus kernel that `auto` takes is a function of sizes and of a node's memory alone: the fastest that fits by
 * nominal rates, a distributed one only where it is worth its messages, one of the right form where a run is continued;
 * where none fits the error says what each needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "admm/choose_consensus.h"

#define NO PETSC_FALSE
#define YES PETSC_TRUE

typedef struct {
  PetscInt n, ranks, C, shape[4], branches; /* shape: G, positions, q, f */
  PetscReal node;                           /* GB */
  PetscBool folded, split;
  PetscReal features; /* MB */
  const char *kernel; /* NULL: none fits */
} Case;

/* Chosen by version 0.1.0. */
static const Case cases[] = {
    {300, 2, 10, {4, 16, 30, 30}, 1, 64, NO, NO, 1024, "root"},
    {300, 2, 10, {4, 16, 31, 31}, 1, 64, NO, NO, 1024, "dual"},
    {300, 1, 10, {4, 16, 31, 31}, 1, 64, NO, NO, 1024, "dual"},
    {50000, 1, 10, {4, 16, 31, 31}, 1, 64, NO, NO, 1024, "root"},
    {50000, 2, 10, {4, 16, 30, 30}, 1, 64, NO, NO, 1024, "root"},
    {50000, 2, 10, {4, 16, 31, 31}, 1, 64, NO, NO, 1024, "scalapack"},
    {5000, 1, 1, {1, 9, 300, 300}, 1, 64, NO, NO, 1024, "dual"},
    {30000, 1, 1, {1, 9, 300, 300}, 1, 64, NO, NO, 1024, "dual"},
    {45000, 1, 1, {1, 9, 300, 300}, 1, 64, NO, NO, 1024, "root"},
    {45000, 2, 1, {1, 9, 300, 300}, 1, 64, NO, NO, 1024, "scalapack"},
    {20000, 8, 1, {1, 9, 300, 300}, 1, 8, NO, NO, 1024, "dual"},
    {20000, 8, 1, {1, 9, 300, 300}, 1, 4, NO, NO, 1024, NULL},
    {2000, 1, 10, {1, 1, 61, 61}, 1, 0.15, NO, NO, 1024, NULL},
    {400, 1, 10, {4, 4, 30, 30}, 1, 0.15, NO, NO, 1024, "dual"},
    {600, 64, 10, {9, 9, 27, 27}, 1, 512, NO, NO, 1024, "dual"},
    {5000, 8, 1, {4, 4, 3072, 3072}, 1, 512, NO, NO, 1024, "dual"},
    {600, 3, 1, {1, 9, 432, 100}, 1, 8, YES, NO, 1024, "dual"},
    {600, 3, 10, {1, 49, 192, 192}, 1, 64, YES, NO, 1024, "scalapack"},
    {20000, 8, 1, {4, 100, 108, 32}, 1, 1, NO, NO, 1024, NULL},
    {50000, 3, 10, {4, 100, 108, 32}, 2, 1, NO, NO, 1024, NULL},
    {200000, 480, 10, {4, 100, 108, 32}, 1, 1, NO, YES, 1024, NULL},
    {20000, 2, 10, {25, 25, 36, 36}, 1, 1, YES, NO, 20, NULL},
    {20000, 64, 10, {16, 676, 49, 25}, 1, 1, YES, YES, 20, NULL},
    {200000, 2, 1, {16, 676, 49, 25}, 1, 512, NO, NO, 20, "scalapack"},
    {50000, 1, 10, {1, 49, 192, 192}, 2, 64, NO, NO, 1024, "root"},
    {600, 1, 10, {16, 676, 49, 25}, 2, 8, NO, NO, 1024, "root"},
    {200000, 1, 1, {4, 100, 108, 32}, 1, 1, NO, YES, 20, "root"},
    {200000, 2, 10, {4, 100, 108, 32}, 2, 8, NO, YES, 20, "scalapack"},
    {5000, 1, 10, {1, 49, 192, 192}, 1, 8, YES, NO, 20, "root"},
    {600, 1, 1, {16, 16, 75, 75}, 1, 512, YES, YES, 20, "root"},
    {20000, 1, 1, {9, 784, 75, 30}, 1, 8, YES, YES, 1024, "root"},
    {200000, 3, 1, {16, 16, 75, 75}, 1, 512, NO, NO, 20, "scalapack"},
    {20000, 3, 10, {1, 9, 432, 100}, 1, 64, NO, NO, 1024, "scalapack"},
    {20000, 64, 1, {9, 784, 75, 30}, 2, 8, NO, NO, 20, "scalapack"},
    {20000, 480, 1, {1, 1, 768, 768}, 1, 512, NO, YES, 20, "scalapack"},
    {600, 480, 10, {1, 1, 768, 768}, 2, 512, NO, YES, 1024, "scalapack"},
    {600, 2, 1, {9, 784, 75, 30}, 1, 64, YES, NO, 1024, "scalapack"},
    {20000, 3, 10, {1, 1, 768, 768}, 1, 512, YES, YES, 1024, "root"},
    {50000, 64, 10, {16, 676, 49, 25}, 1, 512, YES, YES, 1024, "scalapack"},
};

static void SetSizes(const Case *it, PsdSizes *sizes, PsdNode *node)
{
  PsdSizesSet(it->n, it->ranks, it->C, it->shape[0], it->shape[1], it->shape[2], it->shape[3], 3072, sizes);
  if (it->folded) PsdSizesFold(sizes->D / 2 + 7, sizes);
  sizes->transform = (PetscBool)(it->shape[2] > it->shape[3]);
  sizes->split = it->split;
  sizes->branches = it->branches;
  sizes->feature_memory = it->features * 1024 * 1024;
  *node = (PsdNode){.memory = it->node * 1e9, .ranks_per_node = PetscMin(it->ranks, 48), .program = 80e6};
}

static void CheckChoice(const Case *it, PsdConsensusForm form, const char expected[])
{
  const PsdConsensusKernel *kernel = NULL;
  PsdSizes sizes;
  PsdNode node;
  SetSizes(it, &sizes, &node);
  const PetscErrorCode code = PsdConsensusChoose(&sizes, &node, form, &kernel);
  const char *found = code ? "none" : kernel->name;
  if (strcmp(found, expected ? expected : "none"))
    fail_msg("n %d, %d ranks, D %.0f: found %s, expected %s", (int)it->n, (int)it->ranks, (double)sizes.D, found,
             expected ? expected : "none");
  if (code) assert_int_equal(code, PSD_ERR_INPUT);
}

static void SizesDecide(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) CheckChoice(&cases[k], PSD_FORM_ANY, cases[k].kernel);
}

/* whichever is faster, and though another form would be */
static void AFormIsKept(void **state)
{
  (void)state;
  CheckChoice(&cases[0], PSD_FORM_SAMPLES, "dual");
  CheckChoice(&cases[1], PSD_FORM_GRAM, "scalapack");
  CheckChoice(&cases[2], PSD_FORM_GRAM, "root");
  CheckChoice(&cases[5], PSD_FORM_SAMPLES, "dual");
  CheckChoice(&cases[5], PSD_FORM_GRAM, "scalapack");
  /* A'A does not fit where A A' was chosen for that */
  CheckChoice(&cases[13], PSD_FORM_GRAM, NULL);
}

/* a kernel that is not for the problem is neither chosen nor spoken of */
static void TheErrorSaysWhatIsNeeded(void **state)
{
  Case it = {40000, 1, 10, {4, 100, 108, 32}, 1, 0.1, NO, NO, 1024, NULL};
  (void)state;
  CheckChoice(&it, PSD_FORM_ANY, NULL);
  for (PetscInt k = 0; PsdConsensusTable[k]; k++)
    assert_non_null(strstr(PsdErrorMessage(), PsdConsensusTable[k]->name));
  it.branches = 2;
  CheckChoice(&it, PSD_FORM_ANY, NULL);
  assert_non_null(strstr(PsdErrorMessage(), "root needs"));
  assert_null(strstr(PsdErrorMessage(), "dual"));
}

/* a kernel is found by its name, and what it is said to need is not nothing */
static void TheTableIsComplete(void **state)
{
  PsdSizes sizes;
  PsdNode node;
  (void)state;
  SetSizes(&cases[0], &sizes, &node);
  const PsdRates rates = PsdRatesNominal(&sizes);
  for (PetscInt k = 0; PsdConsensusTable[k]; k++) {
    const PsdConsensusKernel *kernel = PsdConsensusTable[k];
    PsdMemory memory = {0};
    PsdConsensusCosts costs;
    PetscReal root, others;
    assert_ptr_equal(PsdConsensusFind(kernel->name), kernel);
    assert_true(kernel->form == PSD_FORM_GRAM || kernel->form == PSD_FORM_SAMPLES);
    (*kernel->memory)(&sizes, &memory);
    PsdMemoryPeak(&memory, &root, &others);
    assert_true(root > 0);
    (*kernel->costs)(&sizes, &rates, &costs);
    assert_true(costs.assemble.flops > 0 && costs.factor.flops > 0 && costs.step.seconds >= costs.multiply.seconds &&
                costs.multiply.seconds > 0);
  }
  assert_null(PsdConsensusFind("auto"));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SizesDecide), cmocka_unit_test(AFormIsKept),
                                     cmocka_unit_test(TheErrorSaysWhatIsNeeded), cmocka_unit_test(TheTableIsComplete)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
