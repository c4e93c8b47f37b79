// SPDX-License-Identifier: GPL-2.0
/* What the views print of the points: the table of points.h as data. */
#include <linux/kernel.h>

#include "object.h"
#include "points.h"

#define IPC_POINT_INFO(symbol, token, name, kind, unit, hold, sentence) \
	[IPC_##symbol] = {name, unit, sentence, IPC_KIND_##kind,        \
			  IPC_HOLD_##hold},

const struct ipc_point_info ipc_points[IPC_NR_POINTS] = {
	IPC_POINTS(IPC_POINT_INFO)};
