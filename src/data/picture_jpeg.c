/*
   JPEG by libjpeg. Grey stays grey, and everything else becomes red, green and blue. The library ends a call at a fault with
   longjmp, back to the one setjmp here. What it only warns of (data that break off) is a fault as well: it would make up the
   rest.
*/
#include "picture.h"
#include <setjmp.h>
#include <stdlib.h>

#if defined(PSD_HAVE_JPEG)
#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr manager; /* first, so that the library's pointer is one to all of it */
  jmp_buf place;
  const char *path;
  PsdFailure *failure;
} Context;

static void Fail(j_common_ptr jpeg)
{
  Context *context = (Context *)jpeg->err;
  char why[JMSG_LENGTH_MAX];
  (*jpeg->err->format_message)(jpeg, why);
  PsdFailureRecord(context->failure, "%s: damaged, truncated or no JPEG (%s)", context->path, why);
  longjmp(context->place, 1);
}

static void Message(j_common_ptr jpeg, int level)
{
  if (level < 0) Fail(jpeg);
}

/* The header; then either the size is told or the pixels are read. */
static void Work(Context *context, FILE *file, PsdPictureSize *size, unsigned char pixels[])
{
  struct jpeg_decompress_struct jpeg = {.err = jpeg_std_error(&context->manager)};
  context->manager.error_exit = Fail;
  context->manager.emit_message = Message;
  if (!setjmp(context->place)) {
    jpeg_create_decompress(&jpeg);
    jpeg_stdio_src(&jpeg, file);
    (void)jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = jpeg.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    if (pixels) {
      (void)jpeg_start_decompress(&jpeg);
      const size_t row = (size_t)size->width * (size_t)size->channels;
      if (jpeg.output_height != (JDIMENSION)size->height ||
          (size_t)jpeg.output_width * (size_t)jpeg.output_components != row)
        PsdFailureRecord(context->failure, "%s: it has changed", context->path);
      while (!context->failure->failed && jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW line = pixels + (size_t)jpeg.output_scanline * row;
        (void)jpeg_read_scanlines(&jpeg, &line, 1);
      }
      if (!context->failure->failed) (void)jpeg_finish_decompress(&jpeg);
    } else
      *size = (PsdPictureSize){jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3, (PetscInt)jpeg.image_height,
                               (PetscInt)jpeg.image_width, 8};
  }
  jpeg_destroy_decompress(&jpeg);
}

static void Inspect(const char path[], FILE *file, PsdPictureSize *size, PsdFailure *failure)
{
  Context context = {.path = path, .failure = failure};
  Work(&context, file, size, NULL);
}

static void Read(const char path[], FILE *file, PsdPictureSize size, unsigned char pixels[], PsdFailure *failure)
{
  Context context = {.path = path, .failure = failure};
  Work(&context, file, &size, pixels);
}

#else

static void Inspect(const char path[], FILE *file, PsdPictureSize *size, PsdFailure *failure)
{
  (void)file, (void)size;
  PsdFailureRecord(failure, "%s: psdnet was built without libjpeg", path);
}

static void Read(const char path[], FILE *file, PsdPictureSize size, unsigned char pixels[], PsdFailure *failure)
{
  (void)size, (void)pixels;
  Inspect(path, file, NULL, failure);
}

#endif

const PsdPictureKind PsdPictureJpeg = {.suffixes = {".jpg", ".jpeg", NULL}, .inspect = Inspect, .read = Read};
