/*
   -quality: how good a network is wanted, as options of maps and patches (docs/guide.md). What it sets are options that
   the user could have given: those that were given stay as they are, and a run with the options that are printed is
   the same run.
*/
#include "app.h"
#include <string.h>

typedef enum { FAST, GOOD, BEST } Quality;

/* An option that a quality sets, from the quality `least` on; value "" is that of an option without one. */
typedef struct {
  Quality least;
  const char *name, *value;
} Setting;

/* Neurons on the map of a stage, in the order that a user would write them in. Their numbers are those of
   docs/performance.md, "Ten classes on maps". */
static const Setting map[] = {
    {GOOD, "-layer1_filters", "kmeans"},
    {BEST, "-layer1_count", "512"},
    {BEST, "-layer1_channels", "64"},
    {GOOD, "-patch", "1"},
    {GOOD, "-pool", "2"},
    {BEST, "-shifts", "5"},
};
/* Beside them linear ones on the responses of the stage: where the user says nothing of branches and responses. */
static const Setting responses[] = {
    {BEST, "-layer1_responses", "3"},  {BEST, "-layer1_response_scale", "0.25"},
    {BEST, "-branches", "2"},          {BEST, "-branch2_responses", ""},
    {BEST, "-branch2_patch", "1"},     {BEST, "-branch2_pool", "3"},
    {BEST, "-branch2_lift", "linear"},
};
/* Where images come with their mirror images and the filters are not a network's. */
static const Setting mirrored[] = {{GOOD, "-layer1_mirror", ""}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static PetscErrorCode IsGiven(const char name[], PetscBool *given)
{
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsHasName(NULL, NULL, name, given));
  PetscFunctionReturn(0);
}

static PetscErrorCode Set(Quality quality, size_t count, const Setting settings[], PsdQuality *chosen)
{
  PetscFunctionBeginUser;
  for (size_t k = 0; k < count; k++) {
    const Setting *it = &settings[k];
    PetscBool given;
    PetscCall(IsGiven(it->name, &given));
    if (given || quality < it->least) continue;
    const size_t used = strlen(chosen->options);
    PetscCall(PetscOptionsSetValue(NULL, it->name, it->value[0] ? it->value : NULL));
    PetscCall(PetscSNPrintf(chosen->options + used, sizeof(chosen->options) - used, " %s%s%s", it->name,
                            it->value[0] ? " " : "", it->value));
  }
  PetscFunctionReturn(0);
}

/* Whether a switch is on, as far as can be said before it is read; what is no switch is refused then. */
static PetscErrorCode IsOn(const char name[], PetscBool *on)
{
  PetscFunctionBeginUser;
  static const char *const off[] = {"false", "no", "0", "off"};
  char text[8] = "";
  PetscBool match;
  PetscCall(IsGiven(name, on));
  PetscCall(PetscOptionsGetString(NULL, NULL, name, text, sizeof(text), NULL));
  for (size_t k = 0; k < COUNT(off); k++) {
    PetscCall(PetscStrcasecmp(text, off[k], &match));
    if (match) *on = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdQualityFromOptions(PsdQuality *chosen)
{
  PetscFunctionBeginUser;
  static const char *const names[] = {"fast", "good", "best", NULL};
  PetscInt quality = FAST;
  PetscBool branches, responses_given, filters, flip;
  chosen->options[0] = '\0';
  PetscCall(PsdOptionsHeading("Quality"));
  PetscCall(PsdOptionEnum("-quality",
                          "network on patches of the image; on maps of filters; on more and larger ones. Sets options "
                          "below that are not given",
                          names, &quality, NULL));
  chosen->name = names[quality];
  PetscCall(IsGiven("-branches", &branches));
  PetscCall(IsGiven("-layer1_responses", &responses_given));
  PetscCall(IsGiven("-layer1_filters", &filters));
  PetscCall(IsOn("-flip", &flip));
  PetscCall(Set((Quality)quality, COUNT(map), map, chosen));
  if (!branches && !responses_given) PetscCall(Set((Quality)quality, COUNT(responses), responses, chosen));
  if (flip && !filters) PetscCall(Set((Quality)quality, COUNT(mirrored), mirrored, chosen));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdQualityPrint(const PsdQuality *chosen)
{
  PetscFunctionBeginUser;
  if (chosen->options[0]) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "quality  %s:%s\n", chosen->name, chosen->options));
  PetscFunctionReturn(0);
}
