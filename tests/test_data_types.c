/* Images in memory are what their numbers say, whatever type these have and whichever ranks gave them; targets have the names
   that they were given; what is wrong with them is one line on every rank. */
#include "data_files.h"
#include <math.h>
#include <setjmp.h>
#include <cmocka.h>

enum { IMAGES = 61, HEIGHT = 5, WIDTH = 3, PIXELS = HEIGHT * WIDTH, NUMBERS = IMAGES * PIXELS };
static const size_t sizes[] = {1, 2, 4, 8}; /* of the types, in their order */

/* Numbers of all images as a type has them. */
static void As(PsdArrayType type, const double numbers[], void *typed)
{
  for (int k = 0; k < NUMBERS; k++) {
    if (type == PSD_ARRAY_UINT8) ((unsigned char *)typed)[k] = (unsigned char)numbers[k];
    if (type == PSD_ARRAY_UINT16) ((uint16_t *)typed)[k] = (uint16_t)numbers[k];
    if (type == PSD_ARRAY_FLOAT32) ((float *)typed)[k] = (float)numbers[k];
    if (type == PSD_ARRAY_FLOAT64) ((double *)typed)[k] = numbers[k];
  }
}

/* The last rank gives all but the first images, which are the first rank's. */
static PetscInt FirstOf(int rank, PetscInt few)
{
  return rank <= 0 ? 0 : rank < Size() ? few : IMAGES;
}

static PetscErrorCode Give(PsdData data, PsdArrayType type, const double numbers[], PetscInt few)
{
  double typed[NUMBERS];
  PetscInt labels[IMAGES];
  const PetscInt first = FirstOf(Rank(), few), count = FirstOf(Rank() + 1, few) - first;
  for (int k = 0; k < IMAGES; k++) labels[k] = LabelOf(k);
  As(type, numbers, typed);
  return PsdDataSetTypedArrays(data, type, count, 1, HEIGHT, WIDTH,
                               (unsigned char *)typed + (size_t)first * PIXELS * sizes[type], labels + first);
}

static PsdData Create(PsdArrayType type, const double numbers[], PetscInt few)
{
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(Give(data, type, numbers, few));
  return data;
}

static int OnAllRanks(int here)
{
  MUST(MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_INT, MPI_LAND, PETSC_COMM_WORLD));
  return here;
}

/* That every pixel here stands for its number, to half a step. */
static int Holds(PsdData data, PetscInt bits, const double numbers[], double unit)
{
  PsdPixels p;
  PetscInt n_local;
  const unsigned char *images;
  const PetscInt64 *indices;
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetPixels(data, &p));
  MUST(PsdDataGetSizes(data, NULL, &n_local, NULL));
  MUST(PsdDataGetShard(data, &images, NULL, &indices));
  int right = p.bits == bits && (p.step > 0) == (unit == 0);
  for (PetscInt k = 0; k < n_local * PIXELS; k++) {
    uint16_t word = images[k];
    if (bits == 16) memcpy(&word, images + 2 * (size_t)k, 2);
    const double found = p.step > 0 ? p.low + p.step * word : word / unit;
    right &= fabs(found - numbers[indices[k / PIXELS] * PIXELS + k % PIXELS]) <= p.step / 2;
  }
  return right;
}

static void AssertHolds(PsdArrayType type, PetscInt bits, const double numbers[], double unit)
{
  for (PetscInt few = 0; few <= 7; few += 7) {
    PsdData data = Create(type, numbers, few);
    assert_true(OnAllRanks(Holds(data, bits, numbers, unit)));
    MUST(PsdDataDestroy(&data));
  }
}

static void BytesOfAnyTypeAreBytes(void **state)
{
  (void)state;
  double numbers[NUMBERS];
  for (int k = 0; k < NUMBERS; k++) numbers[k] = PixelOf(k / PIXELS, k % PIXELS);
  for (int type = PSD_ARRAY_UINT8; type <= PSD_ARRAY_FLOAT64; type++) AssertHolds((PsdArrayType)type, 8, numbers, 1);
  for (int k = 0; k < NUMBERS; k++) numbers[k] /= 255;
  AssertHolds(PSD_ARRAY_FLOAT64, 8, numbers, 255);
}

/* One number of the last image decides. */
static void NumbersAboveBytesHave16Bits(void **state)
{
  (void)state;
  double numbers[NUMBERS];
  for (int k = 0; k < NUMBERS; k++) numbers[k] = PixelOf(k / PIXELS, k % PIXELS);
  numbers[NUMBERS - 1] = 65535;
  for (int type = PSD_ARRAY_UINT16; type <= PSD_ARRAY_FLOAT64; type++) AssertHolds((PsdArrayType)type, 16, numbers, 1);
}

static void RealNumbersAreLevels(void **state)
{
  (void)state;
  double numbers[NUMBERS];
  for (int k = 0; k < NUMBERS; k++) numbers[k] = (float)sin(k);
  numbers[0] = -1e4; /* of the first rank alone, or of the last one */
  AssertHolds(PSD_ARRAY_FLOAT32, 16, numbers, 0);
  AssertHolds(PSD_ARRAY_FLOAT64, 16, numbers, 0);
}

/* Other images are held as those of a network, and are clipped to its levels. */
static void NetworksSayHowImagesAreHeld(void **state)
{
  (void)state;
  const PsdPixels levels = {8, 0.25, -1, -1, 62.75};
  PsdPixels found;
  double numbers[NUMBERS];
  PetscInt n_local;
  const unsigned char *images;
  const PetscInt64 *indices;
  for (int k = 0; k < NUMBERS; k++) numbers[k] = k % 100;
  for (int type = PSD_ARRAY_UINT8; type <= PSD_ARRAY_FLOAT64; type++) {
    PsdData data = Create((PsdArrayType)type, numbers, 7);
    MUST(PsdDataSetPixels(data, &levels));
    MUST(PsdDataSetUp(data));
    MUST(PsdDataGetPixels(data, &found));
    MUST(PsdDataGetSizes(data, NULL, &n_local, NULL));
    MUST(PsdDataGetShard(data, &images, NULL, &indices));
    int right = found.bits == 8 && found.step == 0.25 && found.low == -1;
    for (PetscInt k = 0; k < n_local * PIXELS; k++) {
      const double number = numbers[indices[k / PIXELS] * PIXELS + k % PIXELS];
      right &= images[k] == (number >= 62.75 ? 255 : 4 * (number + 1));
    }
    assert_true(OnAllRanks(right));
    MUST(PsdDataDestroy(&data));
  }
}

static void TargetsHaveNames(void **state)
{
  (void)state;
  static const unsigned char images[4] = {1, 2, 3, 4};
  static const PetscReal targets[2] = {0.5, 2};
  static const char *const given[2] = {"age in years", "h"}, *const few[2] = {"age", ""};
  const char *const *found;
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetArrays(data, 1, 1, 2, 2, images, NULL));
  MUST(PsdDataSetArrayTargets(data, 2, targets));
  const int refused = PsdDataSetArrayTargetNames(data, Rank() == Size() - 1 ? few : given) == PSD_ERR_INPUT &&
                      strstr(PsdErrorMessage(), "target 1 has no name");
  assert_true(OnAllRanks(refused));
  MUST(PsdDataSetArrayTargetNames(data, given));
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetOutputNames(data, &found));
  assert_true(OnAllRanks(found && !strcmp(found[0], given[0]) && !strcmp(found[1], given[1])));
  MUST(PsdDataDestroy(&data));
}

static void AssertRefused(PsdData *data, const char words[])
{
  const PetscErrorCode code = PsdDataSetUp(*data);
  const int right = code == PSD_ERR_INPUT && strstr(PsdErrorMessage(), words) && !strchr(PsdErrorMessage(), '\n');
  if (!right) print_message("code %d, message \"%s\", expected \"%s\"\n", (int)code, PsdErrorMessage(), words);
  assert_true(OnAllRanks(right));
  MUST(PsdDataDestroy(data));
}

static void WhatIsWrongIsOneLine(void **state)
{
  (void)state;
  const PsdPixels bytes = {.bits = 8};
  double numbers[NUMBERS];
  for (int k = 0; k < NUMBERS; k++) numbers[k] = k;
  PsdData data = Create(PSD_ARRAY_UINT16, numbers, 7);
  MUST(PsdDataSetPixels(data, &bytes));
  AssertRefused(&data, "image 17 (from 0) has the number 256, expected whole numbers of 0..255");
  numbers[41 * PIXELS] = NAN;
  data = Create(PSD_ARRAY_FLOAT32, numbers, 7);
  AssertRefused(&data, "image 41 (from 0) has the number nan, expected finite numbers");
}

/* Ranks that say different things end alike, and none waits for another. */
static void TypesAreOneOnAllRanks(void **state)
{
  (void)state;
  const int last = Rank() == Size() - 1;
  double numbers[NUMBERS] = {0};
  const PetscInt labels[1] = {0};
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscErrorCode code =
      PsdDataSetTypedArrays(data, last ? (PsdArrayType)9 : PSD_ARRAY_FLOAT32, 1, 1, HEIGHT, WIDTH, numbers, labels);
  assert_true(OnAllRanks(code == PSD_ERR_INPUT && strstr(PsdErrorMessage(), "9 is no type of numbers")));
  code =
      PsdDataSetTypedArrays(data, last ? PSD_ARRAY_FLOAT64 : PSD_ARRAY_FLOAT32, 1, 1, HEIGHT, WIDTH, numbers, labels);
  const int refused = code == PSD_ERR_INPUT && strstr(PsdErrorMessage(), "not of one type of numbers on all ranks");
  assert_true(OnAllRanks(Size() == 1 ? code == 0 : refused));
  MUST(PsdDataDestroy(&data));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(BytesOfAnyTypeAreBytes), cmocka_unit_test(NumbersAboveBytesHave16Bits),
      cmocka_unit_test(RealNumbersAreLevels),   cmocka_unit_test(NetworksSayHowImagesAreHeld),
      cmocka_unit_test(TargetsHaveNames),       cmocka_unit_test(WhatIsWrongIsOneLine),
      cmocka_unit_test(TypesAreOneOnAllRanks)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PsdFinalize());
  return failures ? 1 : 0;
}
