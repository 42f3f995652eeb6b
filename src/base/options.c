/*
   Strict options over PETSc's database: a value is taken only when the whole of it is of the kind asked for and within
   range. Every name asked for is kept, until PetscFinalize, for finding what a misspelt one was meant to be; when help
   is on, it is also printed with its default. The database is the same on all ranks, hence so is every error.
*/
#include "base.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_LENGTH 64

static struct {
  char **names;
  size_t count, room;
} asked;

/* What is given in the place of the database; no name: nothing is. */
static struct {
  const char *name, *value;
  PetscBool was_asked;
} alone;

static PetscBool help;
static const char *prefix = ""; /* of the object whose options are read */

void PsdOptionsSetHelp(PetscBool on)
{
  help = on;
}

PetscBool PsdOptionsGetHelp(void)
{
  return help;
}

const char *PsdOptionsSetPrefix(const char other[])
{
  const char *before = prefix;
  prefix = other ? other : "";
  return before;
}

const char *PsdOptionsName(const char name[])
{
  static char whole[PSD_MESSAGE_LENGTH / 4];
  if (!*prefix) return name;
  snprintf(whole, sizeof(whole), "-%s%s", prefix, name + 1);
  return whole;
}

void PsdOptionsGiveAlone(const char name[], const char value[])
{
  alone.name = name;
  alone.value = value ? value : "";
  alone.was_asked = PETSC_FALSE;
}

PetscBool PsdOptionsWasAsked(void)
{
  return alone.was_asked;
}

PetscErrorCode PsdOptionsGiven(const char name[], PetscBool *given)
{
  PetscFunctionBeginUser;
  *given = (PetscBool)(alone.name && !strcmp(alone.name, name));
  if (alone.name) PetscFunctionReturn(0);
  PetscCall(PetscOptionsHasName(NULL, NULL, PsdOptionsName(name), given));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionsKeepPrefix(const char given[], char **kept)
{
  PetscFunctionBeginUser;
  const size_t length = given ? strlen(given) : 0;
  PsdCheckInput(!length || given[0] != '-', "options prefix '%s' begins with a dash", given);
  PsdCheckInput(length < PSD_MESSAGE_LENGTH / 8, "options prefix: found %zu characters, expected fewer than %d", length,
                PSD_MESSAGE_LENGTH / 8);
  PetscCall(PetscFree(*kept));
  if (length) PetscCall(PetscStrallocpy(given, kept));
  PetscFunctionReturn(0);
}

static PetscErrorCode ForgetNames(void)
{
  PetscFunctionBeginUser;
  for (size_t k = 0; k < asked.count; k++) PetscCall(PetscFree(asked.names[k]));
  PetscCall(PetscFree(asked.names));
  asked.count = asked.room = 0;
  help = PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Register(const char name[], PetscBool *is_new)
{
  PetscFunctionBeginUser;
  *is_new = PETSC_TRUE;
  for (size_t k = 0; k < asked.count && *is_new; k++) *is_new = (PetscBool)(strcmp(asked.names[k], name) != 0);
  if (!*is_new) PetscFunctionReturn(0);
  if (asked.count == asked.room) {
    if (!asked.room) PetscCall(PetscRegisterFinalize(ForgetNames));
    asked.room = 2 * asked.room + 32;
    PetscCall(PetscRealloc(asked.room * sizeof(char *), &asked.names));
  }
  PetscCall(PetscStrallocpy(name, &asked.names[asked.count++]));
  PetscFunctionReturn(0);
}

/* Whether it is the one that is given. */
static void AskAlone(const char name[], const char **given, PetscBool *set)
{
  const PetscBool found = (PetscBool)!strcmp(alone.name, name);
  *given = found ? alone.value : NULL;
  if (found) alone.was_asked = PETSC_TRUE;
  if (set) *set = found;
}

/* Registers a name, prints its line of help, and finds what was given for it: NULL when nothing was. */
static PetscErrorCode Ask(const char name[], const char text[], const char default_value[], const char **given,
                          PetscBool *set)
{
  char left[PETSC_MAX_PATH_LEN];
  PetscBool is_new, found;

  PetscFunctionBeginUser;
  if (alone.name) {
    AskAlone(name, given, set);
    PetscFunctionReturn(0);
  }
  PetscCall(Register(name, &is_new));
  if (help && is_new) {
    const int width = 34;
    const int length = snprintf(left, sizeof(left), *default_value ? "%s <%s>" : "%s", name, default_value);
    if (length <= width) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-*s  %s\n", width, left, text));
    else PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %s\n  %-*s  %s\n", left, width, "", text));
  }
  *given = NULL;
  PetscCall(PetscOptionsFindPair(NULL, NULL, name, given, &found));
  if (set) *set = found;
  if (!found) *given = NULL;
  else if (!*given) *given = "";
  PetscFunctionReturn(0);
}

static PetscErrorCode AskForValue(const char name[], const char text[], const char default_value[], const char **given,
                                  PetscBool *set)
{
  PetscFunctionBeginUser;
  PetscCall(Ask(name, text, default_value, given, set));
  PsdCheckInput(!*given || **given, "%s: expected a value, found none", name);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionsHeading(const char title[])
{
  PetscFunctionBeginUser;
  if (help) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%s\n", title));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- numbers */

static PetscErrorCode ParseInt(const char name[], const char given[], PetscInt low, PetscInt high, PetscInt *value)
{
  char *end;

  PetscFunctionBeginUser;
  errno = 0;
  const long long number = strtoll(given, &end, 10);
  const PetscBool whole = (PetscBool)(end != given && !*end && !isspace((unsigned char)*given));
  PsdCheckInput(whole && !errno && number >= low && number <= high,
                "%s: found '%s', expected an integer from %" PetscInt_FMT " to %" PetscInt_FMT, name, given, low, high);
  *value = (PetscInt)number;
  PetscFunctionReturn(0);
}

static void DescribeRange(PsdRange range, char text[NUMBER_LENGTH])
{
  const PetscBool below = (PetscBool)(range.low > -PETSC_MAX_REAL), above = (PetscBool)(range.high < PETSC_MAX_REAL);

  text[0] = '\0';
  if (below && above)
    snprintf(text, NUMBER_LENGTH, " %s %g and at most %g", range.low_open ? "above" : "of at least", (double)range.low,
             (double)range.high);
  else if (below) snprintf(text, NUMBER_LENGTH, " %s %g", range.low_open ? "above" : "of at least", (double)range.low);
  else if (above) snprintf(text, NUMBER_LENGTH, " of at most %g", (double)range.high);
}

static PetscErrorCode ParseReal(const char name[], const char given[], PsdRange range, PetscReal *value)
{
  char *end, expected[NUMBER_LENGTH];

  PetscFunctionBeginUser;
  const double number = strtod(given, &end);
  const PetscBool whole = (PetscBool)(end != given && !*end && !isspace((unsigned char)*given));
  DescribeRange(range, expected);
  /* bounds are finite, so this also turns away nan and what overflows; what underflows is as good as zero */
  const PetscBool within =
      (PetscBool)(number <= range.high && (range.low_open ? number > range.low : number >= range.low));
  PsdCheckInput(whole && within, "%s: found '%s', expected a number%s", name, given, expected);
  *value = (PetscReal)number;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionInt(const char name[], const char text[], PetscInt low, PetscInt high, PetscInt *value,
                            PetscBool *set)
{
  char default_value[NUMBER_LENGTH];
  const char *given;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  snprintf(default_value, sizeof(default_value), "%" PetscInt_FMT, *value);
  PetscCall(AskForValue(name, text, default_value, &given, set));
  if (given) PetscCall(ParseInt(name, given, low, high, value));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionReal(const char name[], const char text[], PsdRange range, PetscReal *value, PetscBool *set)
{
  char default_value[NUMBER_LENGTH];
  const char *given;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  snprintf(default_value, sizeof(default_value), "%g", (double)*value);
  PetscCall(AskForValue(name, text, default_value, &given, set));
  if (given) PetscCall(ParseReal(name, given, range, value));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- words */

PetscErrorCode PsdOptionBool(const char name[], const char text[], PetscBool *value, PetscBool *set)
{
  static const char *const words[2][4] = {{"false", "no", "0", "off"}, {"true", "yes", "1", "on"}};
  const char *given;
  PetscBool match = PETSC_FALSE;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  PetscCall(Ask(name, text, *value ? "true" : "false", &given, set));
  if (!given) PetscFunctionReturn(0);
  if (!*given) {
    *value = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < 8 && !match; k++) {
    PetscCall(PetscStrcasecmp(given, words[k / 4][k % 4], &match));
    if (match) *value = (PetscBool)(k / 4);
  }
  PsdCheckInput(match, "%s: found '%s', expected true or false (or yes, no, 1, 0, on, off), or nothing for true", name,
                given);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionString(const char name[], const char text[], char value[], size_t size, PetscBool *set)
{
  const char *given;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  PetscCall(AskForValue(name, text, value, &given, set));
  if (!given) PetscFunctionReturn(0);
  PsdCheckInput(strlen(given) < size, "%s: found %zu characters, expected at most %zu", name, strlen(given), size - 1);
  PetscCall(PetscStrncpy(value, given, size));
  PetscFunctionReturn(0);
}

/* The word that was given for one of `count` choices, by its name now or once. */
static PetscErrorCode FindChoice(const char name[], const char given[], PetscInt count, const PsdChoice choices[],
                                 const char allowed[], PetscInt *value)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < count; k++) {
    const PetscBool old = (PetscBool)(choices[k].old_name && !strcmp(given, choices[k].old_name));
    if (!old && strcmp(given, choices[k].name)) continue;
    *value = k;
    PetscFunctionReturn(0);
  }
  PetscFunctionReturn(PsdInputError("%s: found '%s', expected one of %s", name, given, allowed));
}

PetscErrorCode PsdOptionChoice(const char name[], const char text[], PetscInt count, const PsdChoice choices[],
                               PetscInt *value, PetscBool *set)
{
  char allowed[PSD_MESSAGE_LENGTH / 2] = "", described[PSD_MESSAGE_LENGTH];
  const char *given;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  for (PetscInt k = 0; k < count; k++) {
    if (k) PetscCall(PetscStrlcat(allowed, "|", sizeof(allowed)));
    PetscCall(PetscStrlcat(allowed, choices[k].name, sizeof(allowed)));
  }
  snprintf(described, sizeof(described), "%s (one of %s)", text, allowed);
  PetscCall(AskForValue(name, described, *value < 0 ? "" : choices[*value].name, &given, set));
  for (PetscInt k = 0; k < count && PsdOptionsGetHelp(); k++)
    if (choices[k].help)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-34s  %-10s %s\n", "", choices[k].name, choices[k].help));
  if (given) PetscCall(FindChoice(name, given, count, choices, allowed, value));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionEnum(const char name[], const char text[], const char *const names[], PetscInt *value,
                             PetscBool *set)
{
  PetscFunctionBeginUser;
  PetscInt count = 0;
  PsdChoice *choices;
  while (names[count]) count++;
  PetscCall(PetscCalloc1(count, &choices));
  for (PetscInt k = 0; k < count; k++) choices[k].name = names[k];
  const PetscErrorCode code = PsdOptionChoice(name, text, count, choices, value, set);
  PetscCall(PetscFree(choices));
  PetscFunctionReturn(code);
}

/* ---------------------------------------------------------------- lists */

/* Copies the next piece of a list into `piece` and moves past it; false at the end of the list. */
static PetscBool NextPiece(const char **rest, char separator, char piece[NUMBER_LENGTH])
{
  if (!*rest) return PETSC_FALSE;
  const char *end = strchr(*rest, separator);
  const int length = (int)(end ? (size_t)(end - *rest) : strlen(*rest));
  snprintf(piece, NUMBER_LENGTH, "%.*s", length, *rest);
  *rest = end ? end + 1 : NULL;
  return PETSC_TRUE;
}

/* Turns away what no list is: nothing, nothing between separators, more than there is room for. */
static PetscErrorCode CheckList(const char name[], const char given[], char separator, PetscInt room, PetscInt *count)
{
  char piece[NUMBER_LENGTH];

  PetscFunctionBeginUser;
  *count = 0;
  for (const char *rest = given; NextPiece(&rest, separator, piece); (*count)++)
    PsdCheckInput(piece[0] && strlen(piece) < NUMBER_LENGTH - 1, "%s: found '%s', expected numbers separated by '%c'",
                  name, given, separator);
  PsdCheckInput(*count <= room, "%s: found %" PetscInt_FMT " numbers, expected at most %" PetscInt_FMT, name, *count,
                room);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionIntList(const char name[], const char text[], char separator, PetscInt low, PetscInt high,
                                PetscInt values[], PetscInt *count, PetscBool *set)
{
  const PetscInt room = *count;
  char piece[NUMBER_LENGTH], shape[NUMBER_LENGTH];
  const char *given;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  snprintf(shape, sizeof(shape), "integer[%cinteger%s]", separator, room > 2 ? "..." : "");
  PetscCall(AskForValue(name, text, shape, &given, set));
  *count = 0;
  if (!given) PetscFunctionReturn(0);
  PetscCall(CheckList(name, given, separator, room, count));
  for (PetscInt k = 0; NextPiece(&given, separator, piece); k++)
    PetscCall(ParseInt(name, piece, low, high, &values[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionRealList(const char name[], const char text[], PetscReal values[], PetscInt *count,
                                 PetscBool *set)
{
  const PetscInt room = *count;
  char piece[NUMBER_LENGTH];
  const char *given;

  PetscFunctionBeginUser;
  name = PsdOptionsName(name);
  PetscCall(AskForValue(name, text, "number,number,...", &given, set));
  *count = 0;
  if (!given) PetscFunctionReturn(0);
  PetscCall(CheckList(name, given, ',', room, count));
  for (PetscInt k = 0; NextPiece(&given, ',', piece); k++) PetscCall(ParseReal(name, piece, PSD_ANY_REAL, &values[k]));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- names nobody asked for */

/* Options that PETSc itself reads only later, at PetscFinalize or when something first needs them; found by giving each
   to a program that starts and ends and asking what is left in between. A trailing '*' stands for any ending: the
   objects of PETSc and SLEPc read these when they are built. */
static PetscBool ReadLater(const char name[])
{
  static const char *const later[] = {"log",
                                      "log_threshold",
                                      "citations",
                                      "get_total_flops",
                                      "mpidump",
                                      "options_view",
                                      "options_left",
                                      "options_suppress_deprecated_warnings",
                                      "nox",
                                      "nox_warning",
                                      "noshared",
                                      "build_twosided",
                                      "malloc_view_threshold",
                                      "debugger_pause",
                                      "mat_*",
                                      "vec_*",
                                      "sf_*",
                                      "random_*",
                                      "eps_*",
                                      "st_*",
                                      "bv_*",
                                      "ds_*"};

  for (size_t k = 0; k < sizeof(later) / sizeof(later[0]); k++) {
    const char *star = strchr(later[k], '*');
    if (star ? !strncmp(name, later[k], (size_t)(star - later[k])) : !strcmp(name, later[k])) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Number of letters to change, insert or delete to get from one word to the other (Levenshtein). */
static size_t EditDistance(const char from[], const char to[])
{
  size_t row[NUMBER_LENGTH + 1];
  const size_t length = strlen(to);

  if (length > NUMBER_LENGTH) return NUMBER_LENGTH;
  for (size_t j = 0; j <= length; j++) row[j] = j;
  for (size_t i = 0; from[i]; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 1; j <= length; j++) {
      const size_t change = diagonal + (from[i] != to[j - 1]), gap = PetscMin(row[j], row[j - 1]) + 1;
      diagonal = row[j];
      row[j] = PetscMin(change, gap);
    }
  }
  return row[length];
}

static PetscErrorCode UnknownOption(const char name[])
{
  const char *nearest = NULL;
  size_t best = PetscMax((size_t)2, strlen(name) / 3) + 1;

  for (size_t k = 0; k <= asked.count; k++) {
    const char *known = k ? asked.names[k - 1] : "-help";  /* which the command itself looks for */
    const size_t distance = EditDistance(name, known + 1); /* past the dash */
    if (distance >= best) continue;
    best = distance;
    nearest = known;
  }
  if (nearest) return PsdInputError("unknown option -%s; did you mean %s?", name, nearest);
  return PsdInputError("unknown option -%s; see 'psdnet SUBCOMMAND -help'", name);
}

PetscErrorCode PsdOptionsCheckUnknown(void)
{
  PetscErrorCode result = 0;
  PetscInt count;
  char **names, **values;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsLeftGet(NULL, &count, &names, &values));
  for (PetscInt k = 0; k < count && !result; k++)
    if (!ReadLater(names[k])) result = UnknownOption(names[k]);
  PetscCall(PetscOptionsLeftRestore(NULL, &count, &names, &values));
  PetscFunctionReturn(result);
}
