/*
   The confusion of an evaluation as a picture, SVG: a row for each true class that has images, a column for each class
   that the network says, in each cell the number of images, on as much colour as it is of its row.
*/
#include "app.h"

#define SIDE 44 /* of a cell, pixels */
#define LEFT 150
#define TOP 120

typedef struct {
  PetscInt count;
  const char *const *names;
  const PetscInt64 *confusion;
} Picture;

static PetscInt64 SumOfRow(const Picture *it, PetscInt row)
{
  PetscInt64 sum = 0;
  for (PetscInt k = 0; k < it->count; k++) sum += it->confusion[(size_t)row * (size_t)it->count + (size_t)k];
  return sum;
}

/* Text between tags; what XML cannot have is a question mark. */
static void PrintText(FILE *file, const char text[])
{
  for (const char *c = text; *c; c++)
    if (*c == '<') fprintf(file, "&lt;");
    else if (*c == '>') fprintf(file, "&gt;");
    else if (*c == '&') fprintf(file, "&amp;");
    else fputc((unsigned char)*c < ' ' ? '?' : *c, file);
}

static void PrintName(FILE *file, const char name[], int x, int y, const char attributes[])
{
  fprintf(file, "<text x=\"%d\" y=\"%d\" %s>", x, y, attributes);
  PrintText(file, name);
  fprintf(file, "</text>\n");
}

static void PrintRow(FILE *file, const Picture *it, PetscInt row, int y)
{
  const PetscInt64 images = SumOfRow(it, row);
  PrintName(file, it->names[row], LEFT - 8, y + SIDE / 2 + 4, "text-anchor=\"end\"");
  for (PetscInt k = 0; k < it->count; k++) {
    const PetscInt64 number = it->confusion[(size_t)row * (size_t)it->count + (size_t)k];
    const int x = LEFT + (int)k * SIDE;
    fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" fill-opacity=\"%.3f\"/>", x, y,
            SIDE - 1, SIDE - 1, k == row ? "#1b6ca8" : "#c8553d", 0.06 + 0.74 * (double)number / (double)images);
    fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%" PetscInt64_FMT "</text>\n", x + SIDE / 2,
            y + SIDE / 2 + 4, number);
  }
}

static void Print(FILE *file, const void *what)
{
  const Picture *it = what;
  int rows = 0;
  for (PetscInt row = 0; row < it->count; row++) rows += SumOfRow(it, row) > 0;
  fprintf(file,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
          "font-size=\"12\">\n"
          "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
          LEFT + (int)it->count * SIDE + 90, TOP + rows * SIDE + 10);
  for (PetscInt k = 0; k < it->count; k++) {
    char turned[64];
    const int x = LEFT + (int)k * SIDE + SIDE / 2;
    (void)snprintf(turned, sizeof(turned), "transform=\"rotate(-45 %d %d)\"", x, TOP - 8);
    PrintName(file, it->names[k], x, TOP - 8, turned);
  }
  int y = TOP;
  for (PetscInt row = 0; row < it->count; row++) {
    if (SumOfRow(it, row) == 0) continue;
    PrintRow(file, it, row, y);
    y += SIDE;
  }
  fprintf(file, "</svg>\n");
}

PetscErrorCode PsdConfusionDraw(PsdData data, const PetscInt64 confusion[], const char path[])
{
  PetscFunctionBeginUser;
  Picture it = {.confusion = confusion};
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCall(PsdDataGetClasses(data, &it.count, NULL, &it.names));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PsdWriteWhole(path, Print, &it, &failure);
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}
