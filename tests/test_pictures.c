/*
   Pictures as libpng and libjpeg write them arrive as they were: all kinds of PNG exactly, JPEG as the library itself decodes
   it; resized ones are means over areas, compared with sums over a grid so fine that every area is whole cells of it.
*/
#include "data/picture.h"
#include "base/base.h"
#include <psdnet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define PATH "picture.png"
#define HEIGHT 5
#define WIDTH 7
#define MUST(call) assert_int_equal(call, 0)

static unsigned char Sample(int y, int x, int c)
{
  return (unsigned char)(37 * y + 11 * x + 90 * c + y * x);
}

static void MustRead(const char path[], PsdPictureSize wanted, unsigned char image[])
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  MUST(PsdPictureRead(path, wanted, image, &failure));
  if (failure.failed) fail_msg("%s", failure.message);
}

static void MustRefuse(const char path[], const char words[])
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdPictureSize size;
  unsigned char image[3 * HEIGHT * WIDTH];
  MUST(PsdPictureInspect(path, &size, &failure));
  if (!failure.failed) MUST(PsdPictureRead(path, size, image, &failure));
  assert_true(failure.failed);
  if (!strstr(failure.message, words)) fail_msg("found '%s', expected '%s'", failure.message, words);
}

#if defined(PSD_HAVE_PNG)
#include <png.h>

typedef struct {
  int type, depth, interlace;
} PngKind;

/* rows of libpng's own layout */
static void WritePng(PngKind kind, int transparent, unsigned char *rows[])
{
  FILE *file = fopen(PATH, "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_color palette[4] = {{1, 2, 3}, {40, 50, 60}, {255, 0, 9}, {7, 8, 255}};
  png_byte alpha[4] = {255, 100, 255, 255};
  assert_non_null(file);
  png_init_io(png, file);
  png_set_IHDR(png, info, WIDTH, HEIGHT, kind.depth, kind.type, kind.interlace, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (kind.type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
  if (transparent) png_set_tRNS(png, info, alpha, 4, NULL);
  png_set_gAMA(png, info, 0.3); /* that nobody applies */
  png_write_info(png, info);
  png_write_image(png, rows);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  assert_int_equal(fclose(file), 0);
}

static void WriteSamples(PngKind kind, int samples)
{
  unsigned char bytes[HEIGHT][3 * WIDTH], *rows[HEIGHT];
  for (int y = 0; y < HEIGHT; y++) {
    rows[y] = bytes[y];
    for (int k = 0; k < samples * WIDTH; k++) bytes[y][k] = Sample(y, k / samples, k % samples);
  }
  WritePng(kind, 0, rows);
}

/* Two bits a number, four numbers a byte: y + x modulo 4. */
static void WritePacked(PngKind kind, int transparent)
{
  unsigned char bytes[HEIGHT][2], *rows[HEIGHT];
  memset(bytes, 0, sizeof(bytes));
  for (int y = 0; y < HEIGHT; y++) {
    rows[y] = bytes[y];
    for (int x = 0; x < WIDTH; x++) bytes[y][x / 4] |= (unsigned char)((y + x) % 4 << (6 - 2 * (x % 4)));
  }
  WritePng(kind, transparent, rows);
}

static void PngOfBytesIsReadAsItIs(void **state)
{
  (void)state;
  unsigned char image[3 * HEIGHT * WIDTH];
  for (int interlace = 0; interlace < 2; interlace++)
    for (int samples = 1; samples <= 3; samples += 2) {
      WriteSamples((PngKind){samples == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, 8, interlace}, samples);
      MustRead(PATH, (PsdPictureSize){3, HEIGHT, WIDTH, 8}, image);
      for (int k = 0; k < 3 * HEIGHT * WIDTH; k++) {
        const int c = samples == 1 ? 0 : k / (HEIGHT * WIDTH), y = k / WIDTH % HEIGHT, x = k % WIDTH;
        assert_int_equal(image[k], Sample(y, x, c));
      }
    }
}

static void PngOfFewerBitsIsExpanded(void **state)
{
  (void)state;
  static const unsigned char palette[4][3] = {{1, 2, 3}, {40, 50, 60}, {255, 0, 9}, {7, 8, 255}};
  unsigned char image[3 * HEIGHT * WIDTH];
  WritePacked((PngKind){PNG_COLOR_TYPE_GRAY, 2, 0}, 0);
  MustRead(PATH, (PsdPictureSize){1, HEIGHT, WIDTH, 8}, image);
  for (int k = 0; k < HEIGHT * WIDTH; k++) assert_int_equal(image[k], 85 * ((k / WIDTH + k % WIDTH) % 4));
  WritePacked((PngKind){PNG_COLOR_TYPE_PALETTE, 2, 1}, 0);
  MustRead(PATH, (PsdPictureSize){3, HEIGHT, WIDTH, 8}, image);
  for (int k = 0; k < 3 * HEIGHT * WIDTH; k++)
    assert_int_equal(image[k], palette[(k / WIDTH % HEIGHT + k % WIDTH) % 4][k / (HEIGHT * WIDTH)]);
}

static PetscInt WordOf(const unsigned char image[], size_t k)
{
  uint16_t word;
  memcpy(&word, image + 2 * k, sizeof(word));
  return word;
}

/* of which the first byte in the file is the larger one; one of 8 bits among such has 257 times its numbers */
static void PngOfSixteenBitsIsReadAsItIs(void **state)
{
  (void)state;
  const PsdPictureSize wide = {3, HEIGHT, WIDTH, 16};
  unsigned char bytes[HEIGHT][6 * WIDTH], *rows[HEIGHT], image[2 * 3 * HEIGHT * WIDTH];
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdPictureSize size;
  for (int y = 0; y < HEIGHT; y++) {
    rows[y] = bytes[y];
    for (int k = 0; k < 3 * WIDTH; k++) {
      bytes[y][2 * k] = Sample(y, k / 3, k % 3);
      bytes[y][2 * k + 1] = Sample(k / 3, y, 2 - k % 3);
    }
  }
  WritePng((PngKind){PNG_COLOR_TYPE_RGB, 16, 1}, 0, rows);
  MUST(PsdPictureInspect(PATH, &size, &failure));
  assert_true(!failure.failed && size.bits == 16 && size.channels == 3);
  MustRead(PATH, wide, image);
  for (int k = 0; k < 3 * HEIGHT * WIDTH; k++) {
    const int c = k / (HEIGHT * WIDTH), y = k / WIDTH % HEIGHT, x = k % WIDTH;
    assert_int_equal(WordOf(image, (size_t)k), 256 * Sample(y, x, c) + Sample(x, y, 2 - c));
  }
  MUST(PsdPictureRead(PATH, (PsdPictureSize){3, HEIGHT, WIDTH, 8}, image, &failure));
  assert_true(failure.failed && strstr(failure.message, "16 bits"));
  WriteSamples((PngKind){PNG_COLOR_TYPE_RGB, 8, 0}, 3);
  MustRead(PATH, wide, image);
  for (int k = 0; k < 3 * HEIGHT * WIDTH; k++)
    assert_int_equal(WordOf(image, (size_t)k), 257 * Sample(k / WIDTH % HEIGHT, k % WIDTH, k / (HEIGHT * WIDTH)));
}

static void TransparentPngIsRefused(void **state)
{
  (void)state;
  unsigned char bytes[HEIGHT][8 * WIDTH] = {{0}}, *rows[HEIGHT];
  for (int y = 0; y < HEIGHT; y++) rows[y] = bytes[y];
  WritePng((PngKind){PNG_COLOR_TYPE_RGB_ALPHA, 8, 0}, 0, rows);
  MustRefuse(PATH, "transparent");
  WritePacked((PngKind){PNG_COLOR_TYPE_PALETTE, 2, 0}, 1);
  MustRefuse(PATH, "transparent");
}

/* Every byte that a PNG can lose at its end. */
static void PngThatBreaksOffIsRefused(void **state)
{
  (void)state;
  WriteSamples((PngKind){PNG_COLOR_TYPE_RGB, 8, 0}, 3);
  FILE *file = fopen(PATH, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  const long size = ftell(file);
  assert_int_equal(fclose(file), 0);
  for (long length = size - 1; length >= 0; length -= length > 40 ? 7 : 1) {
    assert_int_equal(truncate(PATH, length), 0);
    MustRefuse(PATH, "damaged, truncated or no PNG");
  }
}
#endif

#if defined(PSD_HAVE_JPEG)
#include <jpeglib.h>

#define JPEG_PATH "picture.JPG"

static void WriteJpeg(int samples)
{
  struct jpeg_error_mgr manager;
  struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&manager)};
  FILE *file = fopen(JPEG_PATH, "wb");
  unsigned char row[3 * WIDTH];
  JSAMPROW rows[1] = {row};
  assert_non_null(file);
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, file);
  jpeg.image_width = WIDTH;
  jpeg.image_height = HEIGHT;
  jpeg.input_components = samples;
  jpeg.in_color_space = samples == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  for (int k = 0; k < samples; k++) jpeg.comp_info[k].h_samp_factor = jpeg.comp_info[k].v_samp_factor = 1;
  jpeg_start_compress(&jpeg, TRUE);
  for (int y = 0; y < HEIGHT; y++) {
    for (int k = 0; k < samples * WIDTH; k++)
      row[k] = (unsigned char)(60 + 9 * y + 6 * (k / samples) + 30 * (k % samples));
    (void)jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  assert_int_equal(fclose(file), 0);
}

/* At the best quality smooth pictures come back within the rounding of the transform and of the colours. */
static void JpegIsReadByChannels(void **state)
{
  (void)state;
  unsigned char image[3 * HEIGHT * WIDTH];
  for (int samples = 1; samples <= 3; samples += 2) {
    PsdFailure failure = {.failed = PETSC_FALSE};
    PsdPictureSize size;
    WriteJpeg(samples);
    MUST(PsdPictureInspect(JPEG_PATH, &size, &failure));
    assert_false(failure.failed);
    assert_int_equal(size.channels, samples);
    MustRead(JPEG_PATH, (PsdPictureSize){3, HEIGHT, WIDTH, 8}, image);
    for (int k = 0; k < 3 * HEIGHT * WIDTH; k++) {
      const int c = samples == 1 ? 0 : k / (HEIGHT * WIDTH), y = k / WIDTH % HEIGHT, x = k % WIDTH;
      assert_in_range(image[k] + 4 - (60 + 9 * y + 6 * x + 30 * c), 0, 8);
    }
  }
}

static void JpegThatBreaksOffIsRefused(void **state)
{
  (void)state;
  WriteJpeg(3);
  FILE *file = fopen(JPEG_PATH, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  const long size = ftell(file);
  assert_int_equal(fclose(file), 0);
  for (long length = size - 1; length >= 0; length -= length > 40 ? 7 : 1) {
    assert_int_equal(truncate(JPEG_PATH, length), 0);
    MustRefuse(JPEG_PATH, "damaged, truncated or no JPEG");
  }
}
#endif

/* Cells of 1/to of an old pixel in either direction: a new pixel is `from` x `from` of them. */
static unsigned char MeanOfCells(PetscInt height, PetscInt width, const unsigned char plane[], PetscInt to_height,
                                 PetscInt to_width, PetscInt y, PetscInt x)
{
  int64_t sum = 0;
  for (PetscInt j = y * height; j < (y + 1) * height; j++)
    for (PetscInt i = x * width; i < (x + 1) * width; i++) sum += plane[j / to_height * width + i / to_width];
  /* halves may go either way */
  const int64_t cells = (int64_t)height * width;
  assert_true(2 * (sum % cells) != cells);
  return (unsigned char)((2 * sum + cells) / (2 * cells));
}

static void ResizedPicturesAreMeansOverAreas(void **state)
{
  (void)state;
  static const PetscInt sizes[][2] = {{5, 7}, {1, 1}, {3, 4}, {9, 11}, {10, 2}};
  unsigned char from[2 * HEIGHT * WIDTH], to[2 * 11 * 14], wide[2 * sizeof(from)], wide_to[2 * sizeof(to)];
  for (int k = 0; k < 2 * HEIGHT * WIDTH; k++) {
    from[k] = Sample(k / WIDTH, k % WIDTH, k / (HEIGHT * WIDTH));
    PsdPixelSet(16, wide, (size_t)k, from[k]);
  }
  for (int n = 0; n < 5; n++) {
    const PetscInt height = sizes[n][0], width = sizes[n][1];
    MUST(PsdPictureResize(2, 16, HEIGHT, WIDTH, wide, height, width, wide_to));
    MUST(PsdPictureResize(2, 8, HEIGHT, WIDTH, from, height, width, to));
    for (PetscInt k = 0; k < 2 * height * width; k++) {
      const unsigned char *plane = from + k / (height * width) * HEIGHT * WIDTH;
      assert_int_equal(to[k], MeanOfCells(HEIGHT, WIDTH, plane, height, width, k / width % height, k % width));
      assert_int_equal(PsdPixelAt(16, wide_to, (size_t)k), to[k]);
    }
  }
}

static int Enter(void **state)
{
  static char directory[] = "/tmp/psdnet_pictures_XXXXXX";
  *state = directory;
  return !mkdtemp(directory) || chdir(directory);
}

static int Leave(void **state)
{
  (void)remove(PATH);
  (void)remove("picture.JPG");
  return chdir("/") || rmdir(*state);
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
#if defined(PSD_HAVE_PNG)
    cmocka_unit_test(PngOfBytesIsReadAsItIs),
    cmocka_unit_test(PngOfFewerBitsIsExpanded),
    cmocka_unit_test(PngOfSixteenBitsIsReadAsItIs),
    cmocka_unit_test(TransparentPngIsRefused),
    cmocka_unit_test(PngThatBreaksOffIsRefused),
#endif
#if defined(PSD_HAVE_JPEG)
    cmocka_unit_test(JpegIsReadByChannels),
    cmocka_unit_test(JpegThatBreaksOffIsRefused),
#endif
    cmocka_unit_test(ResizedPicturesAreMeansOverAreas),
  };
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, Enter, Leave);
  if (PsdFinalize()) return 1;
  return failures;
}
