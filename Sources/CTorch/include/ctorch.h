// A C face for libtorch, in families. Every call returns 0, or 1 with a message in ct_last_error().
// A handle owns one at::Tensor; ct_free gives it back. No exception leaves this library.
#pragma once
#include "ct_tensor.h"
#include "ct_math.h"
#include "ct_shape.h"
#include "ct_strokes.h"
#include "ct_views.h"
#include "ct_nn.h"
#include "ct_autograd.h"
#include "ct_random.h"
#include "ct_system.h"
