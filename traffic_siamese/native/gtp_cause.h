/* Causes of GTP's control plane as classes of answers: of version 1 and below (3GPP TS 29.060 section
 * 7.7.1), and of version 2 (TS 29.274 section 8.4). */
#ifndef TRAFFIC_SIAMESE_GTP_CAUSE_H
#define TRAFFIC_SIAMESE_GTP_CAUSE_H

#include "message.h"

uint8_t gtp_class_of_cause_1(uint8_t cause);
uint8_t gtp_class_of_cause_2(uint8_t cause);

#endif
