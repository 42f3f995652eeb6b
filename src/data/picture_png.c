/*
   PNG by libpng. Palettes and grey of fewer than 8 bits become 8 bits; no gamma is applied, so that what is read is what is
   in the file. libpng ends a call at a fault with longjmp, back to the one setjmp of each function here.
*/
#include "picture.h"
#include <setjmp.h>
#include <stdlib.h>

#if defined(PSD_HAVE_PNG)
#include <png.h>

/* PNG has the larger byte first. */
#define PNG_OWN_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

typedef struct {
  const char *path;
  PsdFailure *failure;
} Context;

static void Fail(png_structp png, png_const_charp why)
{
  const Context *context = (const Context *)png_get_error_ptr(png);
  PsdFailureRecord(context->failure, "%s: damaged, truncated or no PNG (%s)", context->path, why);
  longjmp(png_jmpbuf(png), 1);
}

static void Ignore(png_structp png, png_const_charp why)
{
  (void)png, (void)why;
}

static void CheckWhole(png_structp png, png_infop info, Context *context)
{
  const int type = png_get_color_type(png, info);
  if ((type & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS))
    PsdFailureRecord(context->failure, "%s: is transparent in places, expected grey or colours", context->path);
}

/* The header; then either the size is told or the pixels are read. */
static void Work(Context *context, FILE *file, PsdPictureSize *size, unsigned char pixels[])
{
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, context, Fail, Ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) PsdFailureRecord(context->failure, "%s: no memory to read it", context->path);
  else if (!setjmp(png_jmpbuf(png))) {
    png_init_io(png, file);
    png_set_user_limits(png, PNG_USER_WIDTH_MAX, PNG_USER_HEIGHT_MAX);
    png_read_info(png, info);
    CheckWhole(png, info, context);
    if (pixels && !context->failure->failed) {
      png_set_expand(png);
      if (size->bits == 16 && PNG_OWN_ORDER) png_set_swap(png);
      const int passes = png_set_interlace_handling(png);
      png_read_update_info(png, info);
      const size_t row = (size_t)size->width * (size_t)size->channels * (size_t)(size->bits / 8);
      if (png_get_rowbytes(png, info) != row || png_get_image_height(png, info) != (png_uint_32)size->height)
        png_error(png, "it has changed");
      for (int pass = 0; pass < passes; pass++)
        for (PetscInt y = 0; y < size->height; y++) png_read_row(png, pixels + (size_t)y * row, NULL);
      png_read_end(png, NULL);
    } else {
      size->channels = (png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR) ? 3 : 1;
      size->height = (PetscInt)png_get_image_height(png, info);
      size->width = (PetscInt)png_get_image_width(png, info);
      size->bits = png_get_bit_depth(png, info) > 8 ? 16 : 8;
    }
  }
  if (png) png_destroy_read_struct(&png, &info, NULL);
}

static void Inspect(const char path[], FILE *file, PsdPictureSize *size, PsdFailure *failure)
{
  Context context = {path, failure};
  Work(&context, file, size, NULL);
}

static void Read(const char path[], FILE *file, PsdPictureSize size, unsigned char pixels[], PsdFailure *failure)
{
  Context context = {path, failure};
  Work(&context, file, &size, pixels);
}

#else

static void Inspect(const char path[], FILE *file, PsdPictureSize *size, PsdFailure *failure)
{
  (void)file, (void)size;
  PsdFailureRecord(failure, "%s: psdnet was built without libpng", path);
}

static void Read(const char path[], FILE *file, PsdPictureSize size, unsigned char pixels[], PsdFailure *failure)
{
  (void)size, (void)pixels;
  Inspect(path, file, NULL, failure);
}

#endif

const PsdPictureKind PsdPicturePng = {.suffixes = {".png", NULL}, .inspect = Inspect, .read = Read};
