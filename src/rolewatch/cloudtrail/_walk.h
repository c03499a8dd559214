/* Walking through JSON, strictly and without white space: what two modules written in C share. */
#pragma once
#include <Python.h>
#include <immintrin.h>

typedef const unsigned char *Bytes;

/* What was met on the way: bits of what `seen` points to. */
enum {
    HIGH = 1,      /* a byte above 127 */
    SLASH = 2,     /* an escaped slash */
    UNICODE = 4,   /* a letter escaped by its number */
    SURROGATE = 8, /* half of a letter escaped so */
    FRACTION = 16, /* a number with a fraction, or -0 */
    TWICE = 32,    /* a name that stands twice in an object */
    UNSURE = 64,   /* a name that may stand twice: it is escaped, or there are too many to tell */
};

#define MOST_NAMES 256

/* The names of all objects that are open, by what is computed of them; those of the innermost one last. */
typedef struct {
    uint64_t met[MOST_NAMES];
    int count;
} Names;

/* Note a name of an object whose names begin at `first`. */
static inline void note_name(Names *names, int first, Bytes at, Py_ssize_t length, unsigned *seen)
{
    uint64_t sum = (uint64_t)length, word;
    if (names->count == MOST_NAMES || memchr(at, '\\', (size_t)length)) {
        *seen |= UNSURE;
        return;
    }
    for (; length > 0; at += 8, length -= 8) {
        word = 0;
        memcpy(&word, at, length < 8 ? (size_t)length : 8);
        sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 32;
    }
    for (int number = first; number < names->count; number++)
        if (names->met[number] == sum) *seen |= TWICE;
    names->met[names->count++] = sum;
}

/* The end of a string whose opening quote was read. */
static inline Bytes string_end(Bytes at, Bytes limit, unsigned *seen)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    for (;;) {
        while (limit - at >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)at);
            __m128i low = _mm_cmplt_epi8(bytes, space); /* signed: control characters and bytes above 127 */
            unsigned stop = (unsigned)_mm_movemask_epi8(
                _mm_or_si128(low, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash))));
            if (stop) {
                at += __builtin_ctz(stop);
                break;
            }
            at += 16;
        }
        if (at >= limit) return NULL;
        unsigned char byte = *at++;
        if (byte == '"') return at;
        if (byte >= ' ' && byte != '\\') {
            if (byte >= 128) *seen |= HIGH;
            continue;
        }
        if (byte != '\\' || at >= limit) return NULL;
        byte = *at++;
        if (byte == '"' || byte == '\\' || byte == 'n' || byte == 't' || byte == 'r' || byte == 'b' || byte == 'f') continue;
        if (byte == '/') {
            *seen |= SLASH;
            continue;
        }
        if (byte != 'u' || limit - at < 4) return NULL;
        *seen |= UNICODE | ((at[0] | 32) == 'd' && at[1] >= '8' ? SURROGATE : 0);
        for (int digit = 0; digit < 4; digit++, at++)
            if (!Py_ISXDIGIT(*at)) return NULL;
    }
}

/* The end of a number without exponent, of few digits: what nobody can misread. */
static Bytes number_end(Bytes at, Bytes limit, unsigned *seen)
{
    if (limit - at > 1 && *at == '-' && *++at == '0') *seen |= FRACTION;
    Bytes first = at;
    while (at < limit && Py_ISDIGIT(*at)) at++;
    if (at == first || at - first > 15 || (*first == '0' && at - first > 1)) return NULL;
    if (at < limit && *at == '.') {
        *seen |= FRACTION;
        first = ++at;
        while (at < limit && Py_ISDIGIT(*at)) at++;
        if (at == first || at - first > 15) return NULL;
    }
    return at < limit && (*at == 'e' || *at == 'E' || *at == '.') ? NULL : at;
}

static Bytes word_end(Bytes at, Bytes limit, const char *word, Py_ssize_t length)
{
    return limit - at >= length && memcmp(at, word, (size_t)length) == 0 ? at + length : NULL;
}

static inline Bytes key_end(Bytes at, Bytes limit, unsigned *seen)
{
    if (at >= limit || *at != '"') return NULL;
    at = string_end(at + 1, limit, seen);
    return at && at < limit && *at == ':' ? at + 1 : NULL;
}

/* The end of a key, which is noted where there are names. */
static inline Bytes noted_end(Bytes at, Bytes limit, unsigned *seen, Names *names, int first)
{
    Bytes end = key_end(at, limit, seen);
    if (end && names) note_name(names, first, at + 1, end - at - 3, seen);
    return end;
}

/* The end of any value, NULL if it is not one that everybody reads alike, or nested more than 64 deep. With names it is told
 * whether one stands twice in an object. */
static inline __attribute__((always_inline)) Bytes named_value_end(Bytes at, Bytes limit, unsigned *seen, Names *names)
{
    uint64_t objects = 0; /* a bit for each open bracket, the innermost lowest: is it a brace? */
    int depth = 0, firsts[65];
    for (;;) {
        if (at >= limit) return NULL;
        switch (*at) {
        case '"': at = string_end(at + 1, limit, seen); break;
        case '{':
        case '[': {
            int object = *at++ == '{';
            if (at >= limit) return NULL;
            if (*at == (object ? '}' : ']')) {
                at++;
                break;
            }
            if (depth++ == 64) return NULL;
            objects = objects << 1 | (uint64_t)object;
            if (names) firsts[depth] = names->count;
            if (object && !(at = noted_end(at, limit, seen, names, names ? firsts[depth] : 0))) return NULL;
            continue;
        }
        case 't': at = word_end(at, limit, "true", 4); break;
        case 'f': at = word_end(at, limit, "false", 5); break;
        case 'n': at = word_end(at, limit, "null", 4); break;
        default: at = number_end(at, limit, seen);
        }
        for (;;) {
            if (!at) return NULL;
            if (!depth) return at;
            if (at >= limit) return NULL;
            if (*at == ',') {
                at++;
                if (objects & 1 && !(at = noted_end(at, limit, seen, names, names ? firsts[depth] : 0))) return NULL;
                break;
            }
            if (*at != (objects & 1 ? '}' : ']')) return NULL;
            at++;
            objects >>= 1;
            if (names) names->count = firsts[depth];
            depth--;
        }
    }
}

static inline Bytes value_end(Bytes at, Bytes limit, unsigned *seen)
{
    return named_value_end(at, limit, seen, NULL);
}
