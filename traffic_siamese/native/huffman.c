/* The Huffman code of HPACK: RFC 7541 section 5.2 and appendix B.  The code is canonical: codes of
 * one length follow each other in the order of their symbols, so the lengths say it all. */
#include "hpack.h"

enum { MIN_BITS = 5, MAX_BITS = 30 };

/* How many symbols have a code of so many bits; the last of 30 bits is the end of string. */
static const uint8_t N_SYMBOLS[MAX_BITS + 1] = {
    0, 0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19,
    29, 0, 4,
};

/* The symbols by length of code, then by value; but for the end of string. */
static const uint8_t SYMBOLS[256] = {
    48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57,
    61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68, 69, 70,
    71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118,
    119, 120, 121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39, 43, 124, 35, 62, 0, 36,
    64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130, 131, 162, 184, 194, 224, 226,
    153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136,
    146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198,
    228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158,
    165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159,
    171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213,
    218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245,
    246, 247, 248, 250, 251, 252, 253, 254, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19,
    20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249, 10, 13, 22,
};

/* The symbol whose code begins these bits (the first bit on top), or -1 where it is none; its
 * length goes to *length. */
static int symbol_of(uint32_t bits, unsigned n_bits, unsigned *length) {
    uint32_t first = 0, index = 0; /* the first code of this length, and its symbol's place */
    for (unsigned k = 1; k <= MAX_BITS && k <= n_bits; k++) {
        uint32_t after = (bits >> (32 - k)) - first;
        if (after < N_SYMBOLS[k]) {
            *length = k;
            return index + after < 256 ? SYMBOLS[index + after] : -1;
        }
        index += N_SYMBOLS[k];
        first = (first + N_SYMBOLS[k]) << 1;
    }
    *length = 0; /* it goes on beyond these bits */
    return -1;
}

/* What follows the last symbol: fewer than eight bits, all ones. */
static int is_padding(uint32_t bits, unsigned n_bits) {
    return n_bits < 8 && (!n_bits || bits >> (32 - n_bits) == (1u << n_bits) - 1);
}

int64_t hpack_huffman(const uint8_t *p, size_t n, uint8_t *out, size_t room) {
    uint64_t bits = 0; /* those not used yet, the first on top */
    unsigned n_bits = 0, length;
    int64_t written = 0;
    for (size_t i = 0; i < n || n_bits;) {
        while (n_bits <= 56 && i < n) {
            bits |= (uint64_t)p[i++] << (56 - n_bits);
            n_bits += 8;
        }
        uint32_t top = (uint32_t)(bits >> 32);
        int symbol = symbol_of(top, n_bits < 32 ? n_bits : 32, &length);
        if (symbol < 0) return !length && i == n && is_padding(top, n_bits) ? written : -1;
        if ((uint64_t)written < room) out[written] = (uint8_t)symbol;
        written++;
        bits <<= length;
        n_bits -= length;
    }
    return written;
}
