/* Shared declarations of the native kernel.
 *
 * Every exported function is called from Python through ctypes with pointers to numpy arrays that
 * the caller sized. No function here trusts a length found in the data: each read is checked
 * against the end of the buffer first.
 */
#ifndef TRAFFIC_SIAMESE_KERNEL_H
#define TRAFFIC_SIAMESE_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define TS_EXPORT __declspec(dllexport)
#else
#define TS_EXPORT __attribute__((visibility("default")))
#endif

static inline uint16_t ts_be16(const uint8_t *p) { return (uint16_t)((p[0] << 8) | p[1]); }

static inline uint32_t ts_be32(const uint8_t *p) {
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

/* A 64-bit finaliser (splitmix64): turns structured keys into well spread hash values. */
static inline uint64_t ts_mix(uint64_t x) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* Hash of a byte range, eight bytes a step. */
static inline uint64_t ts_hash(const uint8_t *p, size_t n, uint64_t seed) {
    uint64_t h = seed ^ (n * 0x9e3779b97f4a7c15ULL), word;
    while (n >= 8) {
        memcpy(&word, p, 8);
        h = ts_mix(h ^ word);
        p += 8;
        n -= 8;
    }
    word = 0;
    memcpy(&word, p, n);
    return ts_mix(h ^ word ^ 0x2545f4914f6cdd1dULL);
}

#endif
