/*
   The arithmetic of costs: sizes that follow from others, lists of memory items, sums of seconds and flops.
*/
#include "cost.h"

void PsdSizesSet(PetscReal n, PetscInt ranks, PetscInt C, PetscInt G, PetscInt positions, PetscInt q, PetscInt f,
                 PetscReal image, PsdSizes *sizes)
{
  *sizes = (PsdSizes){.ranks = ranks, .per_node = ranks, .C = C, .map_samples = 1};
  sizes->n = n;
  sizes->n_local = PetscCeilReal(n / ranks);
  sizes->image = image;
  sizes->positions = positions;
  sizes->q = q;
  PsdSizesSetBranches(1, &G, &f, NULL, sizes);
}

void PsdSizesSetBranches(PetscInt branches, const PetscInt G[], const PetscInt f[], const PetscBool vector[],
                         PsdSizes *sizes)
{
  sizes->branches = branches;
  sizes->G = 0;
  sizes->D = sizes->f_max = sizes->m_max = 0;
  sizes->vectors = PETSC_FALSE;
  for (PetscInt b = 0; b < branches; b++) {
    const PetscBool is_vector = (PetscBool)(vector && vector[b]);
    const PetscReal d = f[b] + 1, m = is_vector ? d : d * (d + 1) / 2;
    sizes->branch[b] = (PsdBranchSizes){G[b], f[b], d, m, is_vector};
    sizes->vectors = (PetscBool)(sizes->vectors || is_vector);
    sizes->m_max = PetscMax(sizes->m_max, m);
    sizes->G += G[b];
    sizes->D += m * (PetscReal)G[b];
    sizes->f_max = PetscMax(sizes->f_max, f[b]);
  }
  sizes->pairs = sizes->C * sizes->G;
  sizes->d_max = sizes->f_max + 1;
  sizes->order = sizes->D;
}

PetscBool PsdSizesIsFirst(const PsdSizes *sizes, PetscInt b)
{
  for (PetscInt k = 0; k < b; k++)
    if (sizes->branch[k].f == sizes->branch[b].f && !sizes->branch[k].vector) return PETSC_FALSE;
  return (PetscBool)!sizes->branch[b].vector;
}

void PsdSizesFold(PetscReal order, PsdSizes *sizes)
{
  sizes->order = order;
  sizes->folded = PETSC_TRUE;
}

PetscReal PsdSizesRows(const PsdSizes *sizes, PetscReal samples)
{
  return sizes->folded ? samples / 2 : samples;
}

PetscReal PsdSizesFeatureBytes(const PsdSizes *sizes)
{
  return sizes->single ? (PetscReal)sizeof(float) : PSD_BYTES_REAL;
}

/* The branch that region g is of. */
static PetscInt BranchOf(const PsdSizes *sizes, PetscInt g)
{
  PetscInt b = 0;
  while (g >= sizes->branch[b].G) g -= sizes->branch[b++].G;
  return b;
}

/* Pairs are divided evenly in order, and the first ranks have one more (cone/blocks.c). */
PetscReal PsdSizesMost(const PsdSizes *sizes, const PetscReal each[])
{
  const PetscInt share = sizes->pairs / sizes->ranks, larger = sizes->pairs % sizes->ranks;
  PetscReal most = 0;
  for (PetscInt pair = 0, rank = 0; pair < sizes->pairs; rank++) {
    const PetscInt end = pair + share + (rank < larger);
    PetscReal sum = 0;
    for (; pair < end; pair++) sum += each[BranchOf(sizes, pair % sizes->G)];
    most = PetscMax(most, sum);
  }
  return most;
}

PetscReal PsdSizesVectorMost(const PsdSizes *sizes)
{
  PetscReal m[PSD_MOST_BRANCHES] = {0};
  for (PetscInt b = 0; b < sizes->branches; b++) m[b] = sizes->branch[b].m;
  return PsdSizesMost(sizes, m);
}

PetscReal PsdSizesVectorLeast(const PsdSizes *sizes)
{
  return sizes->pairs >= sizes->ranks ? PsdSizesVectorMost(sizes) : 0;
}

void PsdMemoryAdd(PsdMemory *memory, const char name[], PsdPhase first, PsdPhase last, PetscReal root, PetscReal others)
{
  if (root + others > 0) memory->item[memory->count++] = (PsdMemoryItem){name, root, others, first, last};
}

void PsdMemoryPeak(const PsdMemory *memory, PetscReal *root, PetscReal *others)
{
  *root = *others = 0;
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    PetscReal here = 0, there = 0;
    for (PetscInt k = 0; k < memory->count; k++) {
      const PsdMemoryItem *item = &memory->item[k];
      if (phase < (int)item->first || phase > (int)item->last) continue;
      here += item->root;
      there += item->others;
    }
    *root = PetscMax(*root, here);
    *others = PetscMax(*others, there);
  }
}

PsdRates PsdRatesNominal(const PsdSizes *sizes)
{
  const PetscReal gemm = 45e9;
  return (PsdRates){.gemm = gemm,
                    .syrk = gemm,
                    .potrf = 0.8 * gemm,
                    .single = 1.8 * gemm,
                    .bandwidth = 8e9,
                    .eigen = 150e-12,
                    .lift = sizes->positions * sizes->q * sizes->q / (0.5 * gemm)};
}

PsdCost PsdCostWork(PetscReal flops, PetscReal rate)
{
  return (PsdCost){.seconds = flops / rate, .flops = flops};
}

PsdCost PsdCostMove(PetscReal bytes, const PsdRates *rates)
{
  return (PsdCost){.seconds = bytes / rates->bandwidth, .flops = 0};
}

PsdCost PsdCostSend(PetscReal messages, PetscReal bytes)
{
  return (PsdCost){.messages = messages, .given = bytes, .sent = bytes};
}

PsdCost PsdCostCollective(PsdCollective kind, PetscReal calls, PetscReal bytes, PetscInt ranks)
{
  const PetscReal others = 1 - 1 / (PetscReal)ranks; /* a rank has its own part */
  return (PsdCost){.messages = calls * PetscLog2Real((PetscReal)ranks),
                   .given = bytes,
                   .sent = (kind == PSD_COLLECTIVE_SUM ? 2 : 1) * bytes * others};
}

PsdCost PsdCostSum(PsdCost a, PsdCost b)
{
  return (PsdCost){a.seconds + b.seconds, a.flops + b.flops, a.messages + b.messages, a.given + b.given,
                   a.sent + b.sent};
}

PsdCost PsdCostTimes(PetscReal count, PsdCost cost)
{
  return (PsdCost){count * cost.seconds, count * cost.flops, count * cost.messages, count * cost.given,
                   count * cost.sent};
}

PsdCost PsdSizesCostMost(const PsdSizes *sizes, const PsdCost each[])
{
  PetscReal seconds[PSD_MOST_BRANCHES] = {0}, flops[PSD_MOST_BRANCHES] = {0};
  for (PetscInt b = 0; b < sizes->branches; b++) {
    seconds[b] = each[b].seconds;
    flops[b] = each[b].flops;
  }
  return (PsdCost){.seconds = PsdSizesMost(sizes, seconds), .flops = PsdSizesMost(sizes, flops)};
}
