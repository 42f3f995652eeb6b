/*
   A picture of another size: each pixel of the new one is the mean of the old one over the area that it covers, where pixels
   that it covers in part count by that part. Rows and columns are weighted apart, as areas are rectangles.
*/
#include "picture.h"
#include <math.h>

/* What pixel `at` of `to` covers of `from`: pixels first .. last, with these parts. */
typedef struct {
  PetscInt first, last;
  double first_part, last_part;
} Span;

static Span SpanOf(PetscInt from, PetscInt to, PetscInt at)
{
  /* in units of 1/to of an old pixel, whole numbers */
  const PetscInt64 begin = (PetscInt64)at * from, end = begin + from;
  Span span = {(PetscInt)(begin / to), (PetscInt)((end - 1) / to), 0, 0};
  span.first_part = (double)(PetscMin(end, (PetscInt64)(span.first + 1) * to) - begin) / to;
  span.last_part = (double)(end - (PetscInt64)span.last * to) / to;
  return span;
}

static double PartOf(Span span, PetscInt k)
{
  return k == span.first ? span.first_part : k == span.last ? span.last_part : 1;
}

static PetscInt MeanOver(Span rows, Span columns, PetscInt width, PetscInt bits, const unsigned char plane[])
{
  double sum = 0, area = 0;
  for (PetscInt y = rows.first; y <= rows.last; y++)
    for (PetscInt x = columns.first; x <= columns.last; x++) {
      const double part = PartOf(rows, y) * PartOf(columns, x);
      sum += part * (double)PsdPixelAt(bits, plane, (size_t)y * (size_t)width + (size_t)x);
      area += part;
    }
  return (PetscInt)lrint(sum / area);
}

PetscErrorCode PsdPictureResize(PetscInt channels, PetscInt bits, PetscInt from_height, PetscInt from_width,
                                const unsigned char from[], PetscInt to_height, PetscInt to_width, unsigned char to[])
{
  PetscFunctionBeginUser;
  size_t k = 0;
  for (PetscInt c = 0; c < channels; c++) {
    const unsigned char *plane = from + (size_t)c * (size_t)from_height * (size_t)from_width * (size_t)(bits / 8);
    for (PetscInt y = 0; y < to_height; y++) {
      const Span rows = SpanOf(from_height, to_height, y);
      for (PetscInt x = 0; x < to_width; x++)
        PsdPixelSet(bits, to, k++, MeanOver(rows, SpanOf(from_width, to_width, x), from_width, bits, plane));
    }
  }
  PetscFunctionReturn(0);
}
