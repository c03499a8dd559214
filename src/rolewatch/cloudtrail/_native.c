/* The work of carve.py in one pass over the bytes, where its Python takes a search for each literal.
 *
 * Everything in here is optional. Where it could not be built, or the processor has no AVX2, carve.py does the same in
 * Python, more slowly; tests hold the two against each other. What is the least unusual is left to Python: these
 * functions say then that they do not know, and never guess. What they read lies within the buffer's stretch that they
 * were asked about. The Python side of each function is described in _native.pyi.
 */
#define _GNU_SOURCE /* memmem */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define SUPPORTED 1
#include "_walk.h"
#endif

#ifdef SUPPORTED

#define MOST 8      /* things that are looked for at once: a bit of a byte for each */
#define LITERALS 40 /* literals that they are, all together */

/* ---- looking for literals ----
 *
 * Of each literal the two neighbouring bytes that are rarest are looked for, of all literals at once: a table for
 * either half of a byte says which literals it fits, so four look-ups tell for 32 places which pairs are there
 * ("Teddy", by Geoffrey Langdale for Hyperscan). Only then the whole literal is compared.
 */

/* A literal, and the place in it of two bytes that are rare together. */
typedef struct {
    Bytes text;
    Py_ssize_t length, pair;
} Literal;

typedef struct {
    Bytes buffer;
    Literal literals[LITERALS];
    int first[MOST + 1];           /* the first literal of each thing that is looked for */
    int count;                     /* of such things */
    Py_ssize_t joints, times;      /* how many there were */
    Py_ssize_t start;              /* of the record that is being gone through */
    unsigned long holds;           /* which of the other literals it has held so far */
    unsigned long needed[MOST];    /* a record is left out that does not hold all of one of these sets */
    int sets;                      /* how many of them there are; with none all records are needed that hold anything */
    unsigned long plain;           /* all that a record holds that is boiled down */
    PyObject *found;               /* list of (start, end, holds) */
    char *boiled;                  /* lines of boiled records */
    size_t length, room;           /* bytes of them, and that there is room for */
    PyObject *minutes;             /* dict of minutes with the number of times in each, or NULL if nobody asks */
    Bytes minute;                  /* of the times met last; NULL for those that are not written as usual */
    Py_ssize_t alike;              /* how many times of this minute were met in a row */
} Survey;

static int boil(Survey *survey, Bytes at, Bytes limit);

/* The 240 most common pairs of letters and punctuation in CloudTrail's records, by descending frequency. Source: counted in
 * real records (flaws.cloud, public samples) and those of our benchmarks; digits were left out. */
static const char COMMON[] =
    "\":,\":\"\",ntenerone\"tereesam\"ameiovese\"e{\"wsn\"atevd\"awIdss:{alnas\"\"Astracot\"ueeaed\"rceleusouetar},"
    "trdeantisitIorroolmacc\"titip\"}rsemlsrn\"sci\"uacecadgey\"uts:inuryppetyrrunrim\"taagr\"th-r\"cashes-rc"
    "}}IDVeomazzo:ansegtsNali:t::prcrpit-suidd-ieruD\"queqtTll\"me,ice-goCaafnuvi\"TtPddn:TLLSncrS\"bfatl"
    "-eAu/a-aformbep-caiCAEZ\"pa\"piaEvovdOCo-csoReryosillIapARIAfeSu:suiESDeRoHAHeSHphCMGCulSegiDayttt"
    "md\"ipptueIl\"ey\"Sigs/cl\"fe/OAumtNrATrpoAcSirtPasTsfbytSeum:tVlytAyIl-dr\"vAdexibmsu-TysRKeimsAROPA";

static void choose_pair(Literal *literal)
{
    size_t rarest = 0;
    for (Py_ssize_t at = 0; at + 1 < literal->length; at++) {
        size_t rank = 0;
        while (rank + 1 < sizeof COMMON && memcmp(COMMON + rank, literal->text + at, 2)) rank += 2;
        if (rank > rarest) {
            rarest = rank;
            literal->pair = at;
        }
    }
}

static int is_needed(const Survey *survey)
{
    if (!survey->sets) return survey->holds != 0;
    for (int set = 0; set < survey->sets; set++)
        if ((survey->holds & survey->needed[set]) == survey->needed[set]) return 1;
    return 0;
}

static int close_record(Survey *survey, Py_ssize_t end)
{
    if (survey->holds && is_needed(survey)) {
        if (survey->holds == survey->plain) {
            int done = boil(survey, survey->buffer + survey->start, survey->buffer + end);
            if (done) {
                survey->holds = 0;
                return done < 0 ? -1 : 0;
            }
        }
        PyObject *row = Py_BuildValue("nnk", survey->start, end, survey->holds);
        if (!row) return -1;
        int failed = PyList_Append(survey->found, row);
        Py_DECREF(row);
        if (failed) return -1;
    }
    survey->holds = 0;
    return 0;
}

#define MINUTE 16 /* bytes of `2026-03-01T10:05` */

/* Add the times met in a row to their minute; those not written as usual to the empty one. */
static int close_minute(Survey *survey)
{
    if (!survey->alike) return 0;
    PyObject *minute = PyBytes_FromStringAndSize((const char *)survey->minute, survey->minute ? MINUTE : 0);
    PyObject *before = minute ? PyDict_GetItemWithError(survey->minutes, minute) : NULL;
    PyObject *now = PyErr_Occurred() ? NULL : PyLong_FromSsize_t(survey->alike + (before ? PyLong_AsSsize_t(before) : 0));
    int failed = !now || PyDict_SetItem(survey->minutes, minute, now);
    Py_XDECREF(minute);
    Py_XDECREF(now);
    survey->alike = 0;
    return failed ? -1 : 0;
}

/* The minute of a time, whose key ends at a place; NULL if it is not written as usual. */
static inline Bytes minute_of(Bytes at, Bytes limit)
{
    static const char SHAPE[] = ":\"0000-00-00T00:00";
    if (limit - at < 2 + MINUTE) return NULL;
    for (int place = 0; place < 2 + MINUTE; place++)
        if (SHAPE[place] == '0' ? !Py_ISDIGIT(at[place]) : at[place] != (unsigned char)SHAPE[place]) return NULL;
    return at + 2;
}

static int tally_time(Survey *survey, Bytes at, Bytes limit)
{
    Bytes minute = minute_of(at, limit);
    if (survey->alike && (minute && survey->minute ? memcmp(minute, survey->minute, MINUTE) != 0 : minute != survey->minute) && close_minute(survey))
        return -1;
    survey->minute = minute;
    survey->alike++;
    return 0;
}

/* Two bytes of a literal were met: is it, or another one that stands for the same, there, within the stretch? */
static inline int met(Survey *survey, int which, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t place)
{
    for (int number = survey->first[which]; number < survey->first[which + 1]; number++) {
        const Literal *literal = &survey->literals[number];
        Py_ssize_t at = place - literal->pair;
        if (at < begin || literal->length > end - at || memcmp(survey->buffer + at, literal->text, (size_t)literal->length)) continue;
        if (which == 0) {
            survey->joints++;
            if (close_record(survey, at + 1)) return -1;
            survey->start = at + 2;
        } else if (which == 1) {
            survey->times++;
            if (survey->minutes && tally_time(survey, survey->buffer + at + literal->length, survey->buffer + end)) return -1;
        } else {
            survey->holds |= 1ul << (which - 2);
        }
        return 0;
    }
    return 0;
}

/* For each byte a set of literals, by its lower and its upper half: what both hold has it as the pair's byte. */
typedef struct {
    __m256i low, high;
} Table;

__attribute__((target("avx2"))) static Table table_of(const Survey *survey, Py_ssize_t offset)
{
    unsigned char low[16] = {0}, high[16] = {0};
    for (int which = 0; which < survey->count; which++)
        for (int number = survey->first[which]; number < survey->first[which + 1]; number++) {
            const Literal *literal = &survey->literals[number];
            unsigned char byte = literal->text[literal->pair + offset];
            low[byte & 15] |= (unsigned char)(1 << which);
            high[byte >> 4] |= (unsigned char)(1 << which);
        }
    Table table = {_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                   _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)high))};
    return table;
}

__attribute__((target("avx2"), always_inline)) static inline __m256i sets(Bytes at, Table table)
{
    const __m256i half = _mm256_set1_epi8(15);
    __m256i bytes = _mm256_loadu_si256((const __m256i *)at);
    return _mm256_and_si256(_mm256_shuffle_epi8(table.low, _mm256_and_si256(bytes, half)),
                            _mm256_shuffle_epi8(table.high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

/* Look closer at 32 places, each with the set of literals of which a pair was met there. */
__attribute__((target("avx2"), noinline)) static int look(Survey *survey, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t at, __m256i pairs)
{
    unsigned char which[32];
    unsigned places = ~(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(pairs, _mm256_setzero_si256()));
    _mm256_storeu_si256((__m256i *)which, pairs);
    for (; places; places &= places - 1) {
        int place = __builtin_ctz(places);
        for (unsigned set = which[place]; set; set &= set - 1)
            if (met(survey, __builtin_ctz(set), begin, end, at + place)) return -1;
    }
    return 0;
}

__attribute__((target("avx2"))) static int go_through(Survey *survey, Py_ssize_t begin, Py_ssize_t end)
{
    Table first = table_of(survey, 0), second = table_of(survey, 1);
    Py_ssize_t at = begin;
    for (; end - at > 64; at += 64) {
        Bytes here = survey->buffer + at;
        __m256i low = _mm256_and_si256(sets(here, first), sets(here + 1, second));
        __m256i high = _mm256_and_si256(sets(here + 32, first), sets(here + 33, second));
        __m256i both = _mm256_or_si256(low, high);
        if (__builtin_expect(_mm256_testz_si256(both, both), 1)) continue;
        if (!_mm256_testz_si256(low, low) && look(survey, begin, end, at, low)) return -1;
        if (!_mm256_testz_si256(high, high) && look(survey, begin, end, at + 32, high)) return -1;
    }
    for (; end - at > 1; at++)
        for (int which = 0; which < survey->count; which++)
            if (met(survey, which, begin, end, at)) return -1;
    return close_minute(survey) ? -1 : close_record(survey, end);
}

/* Could this literal begin within the head of a record, and be met before the record is known to begin? */
static int comes_early(const Literal *joint, const Literal *literal)
{
    for (Py_ssize_t at = 2; at + literal->pair < joint->pair; at++) {
        Py_ssize_t rest = joint->length - at;
        if (!memcmp(joint->text + at, literal->text, (size_t)(rest < literal->length ? rest : literal->length))) return 1;
    }
    return 0;
}

static int take_literal(Survey *survey, PyObject *bytes, int number)
{
    char *text;
    if (number == LITERALS) {
        PyErr_SetString(PyExc_ValueError, "there are more than 40 literals");
        return -1;
    }
    Literal *literal = &survey->literals[number];
    if (PyBytes_AsStringAndSize(bytes, &text, &literal->length)) return -1;
    literal->text = (Bytes)text;
    choose_pair(literal);
    if (literal->length < 2 || (number > 1 && comes_early(&survey->literals[0], literal))) {
        PyErr_SetString(PyExc_ValueError, "a literal has two bytes or more, and does not begin in the first one");
        return -1;
    }
    return 0;
}

static int take_literals(Survey *survey, PyObject *literals)
{
    Py_ssize_t count = PyTuple_Check(literals) ? PyTuple_GET_SIZE(literals) : 0;
    int number = 0;
    if (count < 2 || count > MOST) {
        PyErr_SetString(PyExc_ValueError, "a tuple of 2 to 8 literals is needed");
        return -1;
    }
    survey->count = (int)count;
    for (int which = 0; which < count; which++) {
        PyObject *item = PyTuple_GET_ITEM(literals, which);
        survey->first[which] = number;
        if (which < 2 || !PyTuple_Check(item)) {
            if (take_literal(survey, item, number++)) return -1;
            continue;
        }
        for (Py_ssize_t other = 0; other < PyTuple_GET_SIZE(item); other++)
            if (take_literal(survey, PyTuple_GET_ITEM(item, other), number++)) return -1;
    }
    survey->first[count] = number;
    return 0;
}

static int take_needed(Survey *survey, PyObject *needed)
{
    Py_ssize_t count = PyTuple_Check(needed) ? PyTuple_GET_SIZE(needed) : MOST + 1;
    if (count > MOST) {
        PyErr_SetString(PyExc_ValueError, "a tuple of up to 8 sets is needed");
        return -1;
    }
    survey->sets = (int)count;
    for (int set = 0; set < count; set++) survey->needed[set] = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(needed, set));
    return PyErr_Occurred() ? -1 : 0;
}

/* Read (buffer, begin, end, …): `number` arguments. The caller releases the view. */
static int stretch(PyObject *const *args, Py_ssize_t count, Py_ssize_t number, Py_buffer *view, Py_ssize_t *begin, Py_ssize_t *end)
{
    if (count != number) {
        PyErr_Format(PyExc_TypeError, "%zd arguments are needed", number);
        return -1;
    }
    *begin = PyLong_AsSsize_t(args[1]);
    *end = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred() || PyObject_GetBuffer(args[0], view, PyBUF_SIMPLE)) return -1;
    if (*begin < 0 || *begin > *end || *end > view->len) {
        PyErr_SetString(PyExc_ValueError, "not a stretch of the buffer");
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

typedef struct {
    Bytes begin, end; /* of a member's value; `begin` is NULL where there is none */
} Piece;

/* A member to find, by its name. Of an object `names` are members to find in it; their pieces, and those of objects in it,
 * are the `pieces` behind the last one of the object's own level. */
typedef struct Name {
    const char *name;
    Py_ssize_t length;
    const struct Name *names;
    int count, pieces;
} Name;
#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])
#define NAME(text) {text, sizeof(text) - 1, NULL, 0, 0}
#define OBJECT(text, names, pieces) {text, sizeof(text) - 1, names, COUNT(names), pieces}

/* Find members of an object, the last of each name, and go through all of it. Returns its end. One of the names at most
 * is an object. */
static Bytes members(Bytes at, Bytes limit, const Name *names, int count, Piece *pieces, unsigned *seen)
{
    if (at >= limit || *at++ != '{') return NULL;
    if (at < limit && *at == '}') return at + 1;
    for (;;) {
        Bytes key = at + 1;
        if (!(at = key_end(at, limit, seen)) || at >= limit) return NULL;
        Py_ssize_t length = at - key - 2;
        Bytes value = at;
        int which = 0;
        while (which < count && (names[which].length != length || memcmp(names[which].name, key, (size_t)length))) which++;
        if (which == count) {
            at = value_end(at, limit, seen);
        } else {
            const Name *name = &names[which];
            if (name->count) memset(pieces + count, 0, (size_t)name->pieces * sizeof *pieces);
            at = name->count && *at == '{' ? members(at, limit, name->names, name->count, pieces + count, seen) : value_end(at, limit, seen);
            pieces[which].begin = value;
            pieces[which].end = at;
        }
        if (!at || at >= limit) return NULL;
        if (*at == '}') return at + 1;
        if (*at++ != ',') return NULL;
    }
}

#define BOILED 2048 /* bytes that a boiled record has at most, with its time */

/* A line that is being written; `length` is beyond BOILED when it did not fit. */
typedef struct {
    char *text;
    Py_ssize_t length;
} Line;

static void put(Line *line, const void *text, Py_ssize_t length)
{
    if (length <= BOILED - line->length)
        memcpy(line->text + line->length, text, (size_t)length);
    else
        length = BOILED + 1;
    line->length += length;
}
#define PUT(line, text) put(line, text, sizeof(text) - 1)

/* Put members behind what is there, which is an open object. */
static void put_members(Line *line, const Name *names, int count, const Piece *pieces)
{
    for (int which = 0; which < count; which++) {
        if (!pieces[which].begin || line->length > BOILED) continue;
        if (line->text[line->length - 1] == '{')
            PUT(line, "\"");
        else
            PUT(line, ",\"");
        put(line, names[which].name, names[which].length);
        PUT(line, "\":");
        put(line, pieces[which].begin, pieces[which].end - pieces[which].begin);
    }
}

static const Name ISSUER[] = {NAME("arn")};
static const Name CONTEXT[] = {OBJECT("sessionIssuer", ISSUER, 1)};
static const Name IDENTITY[] = {NAME("accountId"), OBJECT("sessionContext", CONTEXT, 2)};
static const Name RECORD[] = {NAME("eventSource"), NAME("eventName"), NAME("awsRegion"), NAME("recipientAccountId"), NAME("requestParameters"),
                              NAME("resources"), NAME("eventTime"), OBJECT("userIdentity", IDENTITY, 4)};
enum { SOURCE, CALL, REGION, TIME = 6, ACCOUNT = 8, ARN = 11, PIECES }; /* places of pieces, as `members` puts them */

static int is_plain_string(Piece piece)
{
    return piece.begin && *piece.begin == '"' && !memchr(piece.begin, '\\', (size_t)(piece.end - piece.begin));
}

/* Boil a record down to what names the access in it: first who did what, then on what, then the time. Adds a line, and
 * returns 1; 0 where that is not possible, -1 for an error. */
static int boil(Survey *survey, Bytes at, Bytes limit)
{
    Piece pieces[PIECES] = {{NULL, NULL}};
    unsigned seen = 0;
    if (members(at, limit, RECORD, COUNT(RECORD), pieces, &seen) != limit || seen & (HIGH | SLASH | UNICODE) || !is_plain_string(pieces[SOURCE]) || !is_plain_string(pieces[CALL]) ||
        !is_plain_string(pieces[TIME]) || !is_plain_string(pieces[ARN]))
        return 0;
    if (survey->room - survey->length < BOILED) {
        char *more = PyMem_Realloc(survey->boiled, survey->room * 2 + 8 * BOILED);
        if (!more) {
            PyErr_NoMemory();
            return -1;
        }
        survey->boiled = more;
        survey->room = survey->room * 2 + 8 * BOILED;
    }
    Line line = {survey->boiled + survey->length, 0};
    PUT(&line, "{");
    put_members(&line, RECORD + SOURCE, 2, pieces + SOURCE);
    PUT(&line, ",\"userIdentity\":{\"sessionContext\":{\"sessionIssuer\":{");
    put_members(&line, ISSUER, 1, pieces + ARN);
    PUT(&line, "}}");
    put_members(&line, IDENTITY, 1, pieces + ACCOUNT);
    PUT(&line, "}");
    put_members(&line, RECORD + REGION, TIME - REGION, pieces + REGION);
    PUT(&line, "}\t");
    put(&line, pieces[TIME].begin + 1, pieces[TIME].end - pieces[TIME].begin - 2);
    PUT(&line, "\n");
    if (line.length > BOILED) return 0;
    survey->length += (size_t)line.length;
    return 1;
}

/* Read (…, literals, needed, plain, minutes) into a survey of a buffer; 0 for success. */
static int prepare(Survey *all, PyObject *const *args, const Py_buffer *view)
{
    all->buffer = view->buf;
    all->plain = PyLong_AsUnsignedLong(args[2]);
    all->minutes = PyDict_Check(args[3]) ? args[3] : NULL;
    all->found = PyList_New(0);
    return !all->found || PyErr_Occurred() || take_literals(all, args[0]) || take_needed(all, args[1]);
}

static void finish(Survey *all, Py_buffer *view)
{
    Py_XDECREF(all->found);
    PyMem_Free(all->boiled);
    PyBuffer_Release(view);
}

static PyObject *survey(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    Survey all = {0};
    Py_buffer view;
    Py_ssize_t begin, end;
    if (stretch(args, count, 7, &view, &begin, &end)) return NULL;
    PyObject *result = NULL;
    all.start = begin;
    if (!prepare(&all, args + 3, &view) && !go_through(&all, begin, end))
        result = Py_BuildValue("nnOy#", all.joints, all.times, all.found, all.boiled ? all.boiled : "", (Py_ssize_t)all.length);
    finish(&all, &view);
    return result;
}

static PyObject *log_file(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    Survey all = {0};
    Py_buffer view;
    if (count != 7) {
        PyErr_SetString(PyExc_TypeError, "7 arguments are needed");
        return NULL;
    }
    if (!PyBytes_Check(args[1]) || !PyBytes_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "head and tail are bytes");
        return NULL;
    }
    Py_ssize_t head = PyBytes_GET_SIZE(args[1]), tail = PyBytes_GET_SIZE(args[2]);
    if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE)) return NULL;
    PyObject *result = NULL;
    unsigned seen = 0;
    Bytes buffer = view.buf;
    Py_ssize_t end = view.len - tail;
    all.start = head;
    if (end > head && !memcmp(buffer, PyBytes_AS_STRING(args[1]), (size_t)head) &&
        !memcmp(buffer + end, PyBytes_AS_STRING(args[2]), (size_t)tail) && !prepare(&all, args + 3, &view) && !go_through(&all, head, end) &&
        all.joints + 1 == all.times && value_end(buffer + all.start, buffer + end, &seen) == buffer + end)
        result = Py_BuildValue("nnOy#", end, all.times, all.found, all.boiled ? all.boiled : "", (Py_ssize_t)all.length);
    finish(&all, &view);
    if (!result && !PyErr_Occurred()) Py_RETURN_NONE;
    return result;
}

static PyObject *objects(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    Py_buffer view;
    Py_ssize_t begin, end, number = 0;
    if (stretch(args, count, 3, &view, &begin, &end)) return NULL;
    Bytes at = (Bytes)view.buf + begin, limit = (Bytes)view.buf + end;
    unsigned seen = 0;
    for (;;) {
        at = at < limit && *at == '{' ? value_end(at, limit, &seen) : NULL;
        if (at) number++;
        if (!at || at == limit) break;
        if (*at++ != ',') at = limit;
    }
    if (!at) number = 0;
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(number);
}

/* Add a number and a line to the two lists of the line's deed; what has no end of a deed is none of ours. */
static int add_line(PyObject *deeds, PyObject *number, const char *line, Py_ssize_t length)
{
    const char *end = memmem(line, (size_t)length, "\"}}", 3);
    if (!end) return 0;
    PyObject *begin = PyBytes_FromStringAndSize(line, end - line);
    PyObject *whole = begin ? PyBytes_FromStringAndSize(line, length) : NULL;
    PyObject *lists = whole ? PyDict_GetItemWithError(deeds, begin) : NULL;
    int failed = !whole || PyErr_Occurred() != NULL;
    if (!failed && !lists) {
        lists = Py_BuildValue("([][])");
        failed = !lists || PyDict_SetItem(deeds, begin, lists);
        Py_XDECREF(lists); /* the dictionary has it */
    }
    failed = failed || PyList_Append(PyTuple_GET_ITEM(lists, 0), number) || PyList_Append(PyTuple_GET_ITEM(lists, 1), whole);
    Py_XDECREF(begin);
    Py_XDECREF(whole);
    return failed ? -1 : 0;
}

static PyObject *group(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (count != 3 || !PyBytes_Check(args[0]) || !PyDict_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "group(lines, number, deeds)");
        return NULL;
    }
    const char *line = PyBytes_AS_STRING(args[0]), *limit = line + PyBytes_GET_SIZE(args[0]);
    while (line < limit) {
        const char *end = memchr(line, '\n', (size_t)(limit - line));
        if (!end) end = limit;
        if (add_line(args[2], args[1], line, end - line)) return NULL;
        line = end + 1;
    }
    Py_RETURN_NONE;
}

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}
static PyMethodDef functions[] = {FUNCTION(survey), FUNCTION(log_file), FUNCTION(objects), FUNCTION(group), {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {.m_base = PyModuleDef_HEAD_INIT, .m_name = "_native", .m_size = 0, .m_methods = functions};

#endif

PyMODINIT_FUNC PyInit__native(void)
{
#ifdef SUPPORTED
    if (__builtin_cpu_supports("avx2")) return PyModule_Create(&module);
#endif
    PyErr_SetString(PyExc_ImportError, "this processor has no AVX2");
    return NULL;
}
