/*
   Costs of the samples: each function states what the one named in sample_costs.h allocates or computes.
*/
#include "sample_costs.h"
#include "limits.h"
#include "maps/images.h"

#define REAL PSD_BYTES_REAL
#define SINGLE ((PetscReal)sizeof(float))

/* ---------------------------------------------------------------- memory: features.c, rows.c, gram.c */

/* Of lifted features that a rank keeps; 0: they are lifted again for each pass. */
static PetscReal KeptBytes(const PsdSizes *s)
{
  const PetscReal bytes = PsdSizesFeatureBytes(s) * PsdSizesRows(s, s->n_local) * s->order;
  return (s->folded && !s->split) || bytes > s->feature_memory ? 0 : bytes;
}

/* Of maps that are kept where lifted features are not; see images.c. */
static PetscReal KeptMapBytes(const PsdSizes *s)
{
  const PetscReal bytes = s->n_local / s->map_samples * s->map * SINGLE;
  return KeptBytes(s) > 0 || bytes > s->feature_memory ? 0 : bytes;
}

/* Samples of a chunk, at most. */
static PetscReal ChunkSamples(const PsdSizes *s)
{
  const PetscReal part = PetscCeilReal(s->n / PSD_SAMPLE_PARTS);
  return PetscMax(1, PetscMin(PetscMin(PSD_CHUNK_ROWS, part), (PetscReal)PSD_CHUNK_BYTES / (REAL * s->D)));
}

static void AddOnAll(PsdMemory *memory, const char name[], PsdPhase first, PsdPhase last, PetscReal bytes)
{
  PsdMemoryAdd(memory, name, first, last, bytes, bytes);
}

static void PatchesMemory(const PsdSizes *s, PsdMemory *memory)
{
  AddOnAll(memory, "patches", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, REAL * s->n_local * s->positions * s->f_max);
  AddOnAll(memory, "work on patches", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY,
           REAL * (2 * PSD_ROWS_PATCHES * s->f_max + s->d_max * s->d_max +
                   PetscMax(s->m_max, PetscMin((PetscReal)s->pairs * s->m_max, PSD_ROWS_MESSAGE))));
}

/* A certificate has samples by themselves, folded or not. */
static void FeaturesMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscReal kept = KeptBytes(s), rows = ChunkSamples(s), errors = s->folded ? 0 : REAL * s->n_local * s->G;
  if (kept > 0) {
    AddOnAll(memory, "lifted features, kept", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, kept + errors);
    AddOnAll(memory, "lifted features, rounded", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
             s->single ? PsdSizesFeatureBytes(s) * PsdSizesRows(s, rows) * s->order : 0);
    AddOnAll(memory, "lifted features, a part", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY,
             s->single ? REAL * PetscMin(PSD_PASS_ROWS, PsdSizesRows(s, rows)) * s->order : 0);
    AddOnAll(memory, "lifted again, a chunk", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY,
             s->single && s->exact_passes > 0 ? REAL * PsdSizesRows(s, rows) * s->order : 0);
    AddOnAll(memory, "lifted samples, a chunk", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY,
             s->folded ? REAL * rows * s->D : 0);
  } else {
    AddOnAll(memory, "lifted features, a chunk", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY,
             REAL * rows * (s->folded ? s->D + s->order / 2 : s->D));
    AddOnAll(memory, "a chunk in single precision", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
             s->single ? PsdSizesFeatureBytes(s) * PsdSizesRows(s, rows) * s->order : 0);
  }
}

/* Work on one map, in each stage, and statistics of the last one: a few squares of the channels or of the patches. */
static void StageMemory(const PsdSizes *s, PsdMemory *memory)
{
  PetscReal work = 0, order = 0;
  for (PetscInt l = 0; l < s->stages; l++) {
    const PsdStageSizes *t = &s->stage[l];
    work += (REAL + SINGLE) * t->positions * t->q + SINGLE * (t->positions * t->K + t->places * (t->raw + t->channels));
    if (l > 0) work += SINGLE * s->stage[l - 1].numbers;
    order = PetscMax(t->given ? 0 : t->q, t->raw);
  }
  AddOnAll(memory, "maps, kept", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, KeptMapBytes(s));
  AddOnAll(memory, "work on maps", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, work);
  AddOnAll(memory, "statistics of maps", PSD_PHASE_LIFT, PSD_PHASE_LIFT, REAL * 4 * order * order);
}

void PsdSamplesMemory(const PsdSizes *s, PsdSamplesForm form, PsdMemory *memory)
{
  AddOnAll(memory, "images and targets", PSD_PHASE_READ, PSD_PHASE_WRITE, s->n_local * (s->image + REAL * s->C));
  AddOnAll(memory, "random targets", PSD_PHASE_READ, PSD_PHASE_GRAM, s->n_local * REAL * s->C);
  AddOnAll(memory, "statistics of patches", PSD_PHASE_LIFT, PSD_PHASE_LIFT, s->transform ? REAL * 3 * s->q * s->q : 0);
  StageMemory(s, memory);
  if (form == PSD_SAMPLES_PATCHES) PatchesMemory(s, memory);
  else FeaturesMemory(s, memory);
}

/* Bytes of a triangle of A'A. */
static PetscReal HalfSquare(const PsdSizes *s)
{
  return REAL * s->order * s->order / 2;
}

/* Bytes that a rank receives while A'A is added up in groups: its group's samples, and its columns' sums. */
static PetscReal GroupBytes(const PsdSizes *s, PetscReal size, PetscReal owners)
{
  return PsdSizesFeatureBytes(s) * PsdSizesRows(s, s->n) * s->order * (size - 1) / owners +
         HalfSquare(s) * (1 / size - 1 / owners);
}

#define MOST_DIVISORS 1536 /* no number of 31 bits has more */

/* Returns how many there are. */
static int Divisors(PetscMPIInt number, PetscMPIInt divisors[MOST_DIVISORS])
{
  int count = 0;
  for (PetscMPIInt k = 1; k <= number / k; k++) {
    if (number % k) continue;
    divisors[count++] = k;
    if (k < number / k) divisors[count++] = number / k;
  }
  return count;
}

/* Of groups that take the same bytes the widest: a member that has all rows of its columns need not pick them. */
PsdTiles PsdGramGroup(const PsdSizes *s, const PsdTiles *tiles)
{
  const PetscReal owners = (PetscReal)tiles->height * tiles->width;
  PetscMPIInt heights[MOST_DIVISORS], widths[MOST_DIVISORS];
  const int height_count = Divisors(tiles->height, heights), width_count = Divisors(tiles->width, widths);
  PsdTiles best = *tiles;
  for (int i = 0; i < height_count; i++)
    for (int j = 0; j < width_count; j++) {
      const PetscReal size = (PetscReal)heights[i] * widths[j], bytes = GroupBytes(s, size, owners);
      const PetscReal least = GroupBytes(s, (PetscReal)best.height * best.width, owners);
      if (HalfSquare(s) / size > s->feature_memory) continue;
      if (bytes < least || (bytes == least && heights[i] < best.height))
        best = (PsdTiles){tiles->block, heights[i], widths[j]};
    }
  return best;
}

/* The upper triangle alone is touched; sums in twice the precision take two more arrays. */
void PsdGramMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscReal square = REAL * s->order * s->order;
  AddOnAll(memory, "A'A, own samples'", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
           s->order <= PSD_EXACT_UP_TO ? 3 * square : square / 2);
  AddOnAll(memory, "products in single precision", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
           s->single ? PsdSizesFeatureBytes(s) * s->order * PetscMin(s->order, PSD_GRAM_GROUP) : 0);
}

void PsdGramTilesMemory(const PsdSizes *s, const PsdTiles *tiles, PsdMemory *memory)
{
  const PetscReal rows = PsdSizesRows(s, ChunkSamples(s)), owners = (PetscReal)tiles->height * tiles->width;
  const PsdTiles group = PsdGramGroup(s, tiles);
  const PetscReal size = (PetscReal)group.height * group.width;
  if (s->order <= PSD_EXACT_UP_TO || (size == 1 && s->ranks > 1)) {
    PsdGramMemory(s, memory);
    return;
  }
  const PetscReal left = group.height > 1 ? s->order / group.height : 0;
  AddOnAll(memory, "chunk of another rank", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
           PsdSizesFeatureBytes(s) * rows * ((s->ranks > 1 ? s->order : 0) + left + PSD_GRAM_GROUP));
  AddOnAll(memory, "products in single precision", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
           s->single ? PsdSizesFeatureBytes(s) * s->order / group.height * PSD_GRAM_GROUP : 0);
  if (size < owners) AddOnAll(memory, "A'A, group's samples'", PSD_PHASE_GRAM, PSD_PHASE_GRAM, HalfSquare(s) / size);
}

void PsdEvaluateMemory(const PsdSizes *s, PsdSamplesForm form, PsdMemory *memory)
{
  if (form == PSD_SAMPLES_PATCHES)
    PsdMemoryAdd(memory, "dual points", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, 2 * REAL * PsdSizesVectorMost(s),
                 2 * REAL * PsdSizesVectorLeast(s));
  else AddOnAll(memory, "pass over the samples", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, REAL * s->D * s->C * 9);
}

/* ---------------------------------------------------------------- time */

PsdCost PsdSamplesRead(const PsdSizes *s, const PsdRates *rates)
{
  return PsdCostMove(10 * s->n_local * s->image, rates);
}

/* All samples of a rank to lifted features, once. Mirror images that are folded need no lifting of their own. */
static PsdCost LiftOnce(const PsdSizes *s, const PsdRates *rates)
{
  const PetscReal lifted = PsdSizesRows(s, s->n_local);
  return (PsdCost){.seconds = lifted * rates->lift, .flops = lifted * s->positions * s->q * s->q};
}

/* Through one stage: products in single precision, at twice the rate, and the patches and responses that go through
   memory. */
static PsdCost MapStage(const PsdStageSizes *t, PetscReal images, const PsdRates *rates)
{
  const PetscReal flops = 2 * t->positions * t->q * t->K + (t->reduced ? 2 * t->places * t->raw * t->channels : 0);
  const PetscReal bytes = (3 * REAL + 2 * SINGLE) * t->positions * t->q + 3 * SINGLE * t->positions * t->K;
  return PsdCostSum(PsdCostWork(images * flops, 2 * rates->gemm), PsdCostMove(images * bytes, rates));
}

/* Images to maps, stage after stage. */
static PsdCost MapImages(const PsdSizes *s, PetscReal images, const PsdRates *rates)
{
  PsdCost sum = {0};
  for (PetscInt l = 0; l < s->stages; l++) sum = PsdCostSum(sum, MapStage(&s->stage[l], images, rates));
  return sum;
}

/* Statistics of the last stage's patches, unless its filters are given, and, where channels are reduced, of maps. */
static PsdCost FitMaps(const PsdSizes *s, const PsdRates *rates)
{
  const PsdStageSizes *t = &s->stage[s->stages - 1];
  const PetscReal images = PetscMin(s->n_local / s->map_samples, PSD_STATISTICS_IMAGES / (PetscReal)s->ranks);
  const PsdCost patches = PsdCostWork(t->given ? 0 : images * t->positions * t->q * t->q, rates->syrk);
  if (!t->reduced) return patches;
  return PsdCostSum(PsdCostSum(patches, MapImages(s, images, rates)),
                    PsdCostSum(PsdCostWork(images * t->places * t->raw * t->raw, rates->syrk),
                               PsdCostMove(2 * REAL * images * t->raw * t->raw, rates)));
}

/* Images to patches: a copy, and a product when they are transformed. */
static PsdCost Cut(const PsdSizes *s, const PsdRates *rates)
{
  const PetscReal patches = s->n_local * s->positions;
  const PsdCost copy = PsdCostMove(4 * REAL * patches * s->q, rates);
  return s->transform ? PsdCostSum(copy, PsdCostWork(2 * patches * s->q * s->f_max, rates->gemm)) : copy;
}

/* Of a pass that lifts images, the part that gathers moments. */
#define MOMENTS_PART 0.6
/* Of the images, those whose moments have no room where rounded rows will be: see held_moments.h. Reduced patches have less. */
#define NOT_HELD 0.2

/* The certificate has samples by themselves, so that folded rows that are kept do not serve it; the statistics of
   patches take a pass of their own unless they are gathered from what is kept. */
static PsdCost LiftPasses(const PsdSizes *s, PsdSamplesForm form, const PsdRates *rates)
{
  const PsdCost lift = LiftOnce(s, rates);
  if (form == PSD_SAMPLES_PATCHES) return s->transform ? PsdCostSum(Cut(s, rates), lift) : Cut(s, rates);
  const PetscReal again = (s->single ? s->exact_passes : 0) + (s->single && s->transform ? NOT_HELD * MOMENTS_PART : 0);
  if (KeptBytes(s) > 0 && !s->folded) return PsdCostTimes(1 + again, lift);
  return PsdCostTimes(s->transform ? 3 : 2, lift);
}

/* Passes over maps that neither are kept nor their features in double precision: see LiftPasses. */
static PetscReal MapPasses(const PsdSizes *s)
{
  if (!s->single || KeptBytes(s) == 0) return s->transform ? 3 : 2;
  return 1 + s->exact_passes + (s->transform ? NOT_HELD : 0);
}

/* Maps are made at each pass, unless they are kept. */
PsdCost PsdSamplesLift(const PsdSizes *s, PsdSamplesForm form, const PsdRates *rates)
{
  const PsdCost lift = LiftPasses(s, form, rates);
  if (s->stages == 0) return lift;
  const PetscBool kept =
      (PetscBool)(form == PSD_SAMPLES_PATCHES || (KeptBytes(s) > 0 && !s->single) || KeptMapBytes(s) > 0);
  const PetscReal passes = kept ? 1 : MapPasses(s);
  return PsdCostSum(lift, PsdCostSum(FitMaps(s, rates), MapImages(s, passes * s->n_local / s->map_samples, rates)));
}

/* rate: in double precision. In single the products of a chunk are added to A'A, which is read and written for that. */
static PsdCost GramProducts(const PsdSizes *s, PetscReal rate, const PsdRates *rates)
{
  const PetscReal flops = PsdSizesRows(s, s->n) * s->order * s->order / (PetscReal)s->ranks;
  if (!s->single) return PsdCostWork(flops, rate);
  const PetscReal chunks = PetscCeilReal(s->n_local / ChunkSamples(s));
  return PsdCostSum(PsdCostWork(flops, rates->single), PsdCostMove(chunks * 2 * HalfSquare(s), rates));
}

/* A'[nu0, signs], summed for all. */
static PsdCost TargetsSum(const PsdSizes *s)
{
  return PsdCostCollective(PSD_COLLECTIVE_SUM, 1, 2 * REAL * s->order * s->C, s->ranks);
}

PsdCost PsdGramCost(const PsdSizes *s, const PsdRates *rates)
{
  return GramProducts(s, rates->syrk, rates);
}

/* Up to the order of exact sums both halves of the matrix are summed, in pairs. */
PsdCost PsdGramSumCost(const PsdSizes *s)
{
  const PetscReal bytes = s->order <= PSD_EXACT_UP_TO ? 4 * HalfSquare(s) : HalfSquare(s);
  const PsdCost sum = PsdCostCollective(PSD_COLLECTIVE_SPREAD, PetscCeilReal(bytes / PSD_GRAM_PIECE), bytes, s->ranks);
  return PsdCostSum(sum, TargetsSum(s));
}

/* What is sent is written and read once more, this rank's own part included. */
PsdCost PsdGramTilesCost(const PsdSizes *s, const PsdTiles *tiles, const PsdRates *rates)
{
  if (s->order <= PSD_EXACT_UP_TO)
    return PsdCostSum(PsdCostSum(PsdGramCost(s, rates), PsdGramSumCost(s)),
                      PsdCostCollective(PSD_COLLECTIVE_SPREAD, s->order, HalfSquare(s), s->ranks));
  const PsdTiles group = PsdGramGroup(s, tiles);
  const PetscInt size = (PetscInt)group.height * group.width, owners = (PetscInt)tiles->height * tiles->width;
  const PetscReal samples =
      size > 1 ? PsdSizesFeatureBytes(s) * PsdSizesRows(s, s->n) * s->order * (PetscReal)size / (PetscReal)owners : 0;
  const PetscReal sums = size < owners ? HalfSquare(s) / (PetscReal)size : 0;
  const PsdCost products = size > 1 || s->ranks == 1 ? GramProducts(s, rates->gemm, rates) : PsdGramCost(s, rates);
  const PetscReal chunks = PetscCeilReal(s->n_local / ChunkSamples(s)), turns = sums / (REAL * PSD_GRAM_MESSAGE);
  const PetscInt groups = (PetscInt)((PetscReal)owners / (PetscReal)size);
  const PsdCost messages = PsdCostSum(PsdCostCollective(PSD_COLLECTIVE_SPREAD, chunks * (PetscReal)size, samples, size),
                                      PsdCostCollective(PSD_COLLECTIVE_SPREAD, PetscCeilReal(turns), sums, groups));
  return PsdCostSum(PsdCostSum(products, messages),
                    PsdCostSum(PsdCostMove(2 * (samples + sums), rates), TargetsSum(s)));
}

/* The argument goes to all ranks, and A' of the result to the owners of pairs or, folded, to all. */
static PsdCost PassMessages(const PsdSizes *s)
{
  const PetscReal bytes = REAL * s->D * s->C;
  const PsdCollective back = s->folded ? PSD_COLLECTIVE_SUM : PSD_COLLECTIVE_SPREAD;
  return PsdCostSum(PsdCostCollective(PSD_COLLECTIVE_SPREAD, 1, bytes, s->ranks),
                    PsdCostCollective(back, 1, s->folded ? REAL * s->order * s->C : bytes, s->ranks));
}

PsdCost PsdProductsCost(const PsdSizes *s, const PsdRates *rates)
{
  const PetscReal numbers = PsdSizesRows(s, s->n_local) * s->order;
  const PsdCost work =
      PsdCostSum(PsdCostWork(4 * numbers * s->C, rates->gemm), PsdCostMove(PsdSizesFeatureBytes(s) * numbers, rates));
  const PsdCost pass = PsdCostSum(work, PassMessages(s));
  if (KeptBytes(s) > 0) return pass;
  const PsdCost lift = PsdCostSum(pass, LiftOnce(s, rates));
  return KeptMapBytes(s) > 0 || s->stages == 0 ? lift
                                               : PsdCostSum(lift, MapImages(s, s->n_local / s->map_samples, rates));
}

/* As many as fit where the factor goes later, so that they do not raise the peak. */
PetscInt PsdDualHeld(PetscReal N, const PsdTiles *tiles, PetscReal numbers)
{
  const PetscReal room = PetscMax(N * N / tiles->height / tiles->width, (PetscReal)PSD_CHUNK_BYTES / REAL);
  const PetscReal all = N / tiles->width / (PetscReal)tiles->block;
  return (PetscInt)PetscMax(1, PetscMin(all, tiles->height > 1 ? PetscFloorReal(room / numbers) : all));
}

/* Patches of a region of one sample, on average. */
static PetscReal RegionNumbers(const PsdSizes *s)
{
  return s->positions * s->f_max / (PetscReal)s->G;
}

void PsdDualMatrixMemory(const PsdSizes *s, PetscReal N, const PsdTiles *tiles, PsdMemory *memory)
{
  const PetscReal numbers = (PetscReal)tiles->block * RegionNumbers(s), H = tiles->height, W = tiles->width;
  const PetscReal held = H > 1 ? (PetscReal)PsdDualHeld(N, tiles, numbers) : 0;
  const PetscReal handed = H > 1 ? s->n_local * RegionNumbers(s) : 0, visiting = W > 1 ? numbers : 0;
  AddOnAll(memory, "patches of other ranks", PSD_PHASE_GRAM, PSD_PHASE_GRAM,
           REAL * (held * numbers + handed + visiting));
}

/* Patches of columns go round in columns of the grid, those of rows in rows, for every lot of columns that is held. */
PsdCost PsdDualMatrixCost(const PsdSizes *s, PetscReal N, const PsdTiles *tiles, const PsdRates *rates)
{
  const PetscReal pairs = s->n * s->n * s->positions * s->positions / (PetscReal)s->G;
  const PsdCost work = PsdCostWork(pairs * s->f_max / (PetscReal)s->ranks, 0.9 * rates->gemm);
  const PetscReal block = (PetscReal)tiles->block, G = (PetscReal)s->G, H = tiles->height, W = tiles->width;
  const PetscReal columns = N / W / block, rows = N / H / block, numbers = s->n * s->positions * s->f_max;
  const PetscReal lots = PetscCeilReal(columns / (PetscReal)PsdDualHeld(N, tiles, block * RegionNumbers(s)));
  const PetscReal times = (lots + 1) / 2; /* rows above a lot stay */
  const PsdCost down = PsdCostCollective(PSD_COLLECTIVE_SPREAD, G * columns, REAL * numbers / W, tiles->height);
  const PsdCost along =
      PsdCostCollective(PSD_COLLECTIVE_SPREAD, times * G * rows, times * REAL * numbers / H, tiles->width);
  const PsdCost handed = PsdCostSend(H > 1 ? G : 0, H > 1 ? REAL * numbers * (1 / (H * W) - 1 / (H * W * H)) : 0);
  return PsdCostSum(PsdCostSum(work, handed), PsdCostSum(down, along));
}

PsdCost PsdRowsAdjointCost(const PsdSizes *s, const PsdRates *rates)
{
  const PetscReal patches = s->n_local * s->positions * s->C, bytes = REAL * s->D * s->C;
  const PsdCost messages =
      PsdCostCollective(PSD_COLLECTIVE_SPREAD, PetscCeilReal(bytes / (REAL * PSD_ROWS_MESSAGE)), bytes, s->ranks);
  return PsdCostSum(PsdCostSum(PsdCostWork(patches * s->f_max * s->f_max, rates->syrk), messages),
                    PsdCostMove(2 * REAL * (patches * s->f_max + s->D * s->C * (s->ranks > 1 ? 2 : 1)), rates));
}

PsdCost PsdEvaluateCost(const PsdSizes *s, PsdSamplesForm form, const PsdRates *rates)
{
  const PetscReal patches = s->n_local * s->positions * s->C, numbers = s->n_local * s->D;
  if (form == PSD_SAMPLES_PATCHES)
    return PsdCostSum(PsdCostTimes(2, PsdRowsAdjointCost(s, rates)),
                      PsdCostWork(2 * patches * s->f_max * s->f_max, rates->gemm));
  const PsdCost work =
      PsdCostSum(PsdCostWork(10 * numbers * s->C, rates->gemm), PsdCostMove(3 * REAL * numbers, rates));
  return PsdCostSum(work, PsdCostCollective(PSD_COLLECTIVE_SUM, 2, 2 * REAL * s->D * s->C, s->ranks));
}
