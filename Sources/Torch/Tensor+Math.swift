import CTorch

// Elementwise arithmetic; shapes broadcast as in PyTorch.

typealias UnaryCall = (ct_tensor?, UnsafeMutablePointer<ct_tensor?>?) -> Int32
typealias BinaryCall = (ct_tensor?, ct_tensor?, UnsafeMutablePointer<ct_tensor?>?) -> Int32
typealias ScalarCall = (ct_tensor?, Double, UnsafeMutablePointer<ct_tensor?>?) -> Int32

extension Tensor {
  @inline(__always)
  func unary(_ name: StaticString, _ call: UnaryCall) -> Tensor {
    make(name, [self]) { call(handle, $0) }
  }

  @inline(__always)
  func binary(_ name: StaticString, _ other: Tensor, _ call: BinaryCall) -> Tensor {
    make(name, [self, other]) { call(handle, other.handle, $0) }
  }

  @inline(__always)
  func scalar(_ name: StaticString, _ value: Double, _ call: ScalarCall) -> Tensor {
    make(name, [self]) { call(handle, value, $0) }
  }

  /// Sum, element by element.
  public static func + (x: Tensor, y: Tensor) -> Tensor { x.binary("add", y, ct_add) }
  /// Difference, element by element.
  public static func - (x: Tensor, y: Tensor) -> Tensor { x.binary("sub", y, ct_sub) }
  /// Product, element by element.
  public static func * (x: Tensor, y: Tensor) -> Tensor { x.binary("mul", y, ct_mul) }
  /// Quotient, element by element.
  public static func / (x: Tensor, y: Tensor) -> Tensor { x.binary("div", y, ct_div) }
  /// Every element plus a number.
  public static func + (x: Tensor, y: Double) -> Tensor { x.scalar("add", y, ct_add_scalar) }
  /// Every element minus a number.
  public static func - (x: Tensor, y: Double) -> Tensor { x.scalar("add", -y, ct_add_scalar) }
  /// Every element times a number.
  public static func * (x: Tensor, y: Double) -> Tensor { x.scalar("mul", y, ct_mul_scalar) }
  /// Every element divided by a number.
  public static func / (x: Tensor, y: Double) -> Tensor { x.scalar("mul", 1 / y, ct_mul_scalar) }
  /// A number plus every element.
  public static func + (x: Double, y: Tensor) -> Tensor { y + x }
  /// A number minus every element.
  public static func - (x: Double, y: Tensor) -> Tensor { -y + x }
  /// A number times every element.
  public static func * (x: Double, y: Tensor) -> Tensor { y * x }
  /// A number divided by every element.
  public static func / (x: Double, y: Tensor) -> Tensor { y.pow(-1) * x }
  /// Every element with its sign turned.
  public static prefix func - (x: Tensor) -> Tensor { x.unary("neg", ct_neg) }

  /// Matrix product over the last two dimensions; leading dimensions broadcast.
  public func matmul(_ other: Tensor) -> Tensor { binary("matmul", other, ct_matmul) }
  /// Matrix product of operands whose shapes are not known to fit.
  /// - Throws: `TorchError` naming both shapes.
  public func checkedMatmul(_ other: Tensor) throws(TorchError) -> Tensor {
    try attemptTensor("matmul", [self, other]) { ct_matmul(handle, other.handle, $0) }
  }

  /// Every element to a power.
  public func pow(_ exponent: Double) -> Tensor { scalar("pow", exponent, ct_pow_scalar) }
  /// e to every element.
  public func exp() -> Tensor { unary("exp", ct_exp) }
  /// Natural logarithm.
  public func log() -> Tensor { unary("log", ct_log) }
  /// Square root.
  public func sqrt() -> Tensor { unary("sqrt", ct_sqrt) }
  /// One over the square root.
  public func rsqrt() -> Tensor { unary("rsqrt", ct_rsqrt) }
  /// Square.
  public func square() -> Tensor { unary("square", ct_square) }
  /// Sine.
  public func sin() -> Tensor { unary("sin", ct_sin) }
  /// Cosine.
  public func cos() -> Tensor { unary("cos", ct_cos) }
  /// Inverse sine.
  public func asin() -> Tensor { unary("asin", ct_asin) }
  /// Hyperbolic tangent.
  public func tanh() -> Tensor { unary("tanh", ct_tanh) }
  /// `1 / (1 + exp(-x))`.
  public func sigmoid() -> Tensor { unary("sigmoid", ct_sigmoid) }
  /// `max(x, 0)`.
  public func relu() -> Tensor { unary("relu", ct_relu) }
  /// `x` where it is positive, else `slope * x`.
  public func leakyReLU(_ slope: Double) -> Tensor {
    scalar("leaky_relu", slope, ct_leaky_relu_scalar)
  }
  /// `x * sigmoid(x)`, also called swish.
  public func silu() -> Tensor { unary("silu", ct_silu) }
  /// `x * Φ(x)`, the exact form with erf.
  public func gelu() -> Tensor { unary("gelu", ct_gelu) }
  /// `x * sigmoid(1.702 x)`, CLIP's approximation of GELU.
  public func quickGELU() -> Tensor { unary("quick_gelu", ct_quick_gelu) }
  /// Absolute value.
  public func abs() -> Tensor { unary("abs", ct_abs) }
  /// Largest whole number not above.
  public func floor() -> Tensor { unary("floor", ct_floor) }
  /// Nearest whole number, halves to even.
  public func round() -> Tensor { unary("round", ct_round) }
  /// The larger of two, element by element.
  public func maximum(_ other: Tensor) -> Tensor { binary("maximum", other, ct_maximum) }
  /// The smaller of two, element by element.
  public func minimum(_ other: Tensor) -> Tensor { binary("minimum", other, ct_minimum) }
  /// Every element limited to a range.
  public func clamped(_ low: Double, _ high: Double) -> Tensor {
    make("clamp", [self]) { ct_clamp(handle, low, high, $0) }
  }
  /// Every element limited to a range given element by element.
  public func clamped(_ low: Tensor, _ high: Tensor) -> Tensor {
    make("clamp", [self, low, high]) { ct_clamp_between(handle, low.handle, high.handle, $0) }
  }
}

// MARK: - Comparison and choice

extension Tensor {
  /// Where both are equal.
  public func equals(_ other: Tensor) -> Tensor { binary("eq", other, ct_eq) }
  /// Where an element equals a number.
  public func equals(_ value: Double) -> Tensor { scalar("eq", value, ct_eq_scalar) }
  /// Where an element is below a number.
  public func less(than value: Double) -> Tensor { scalar("lt", value, ct_lt_scalar) }
  /// Where an element is below the other.
  public func less(than other: Tensor) -> Tensor { binary("lt", other, ct_lt) }
  /// Where an element is at least a number.
  public func atLeast(_ value: Double) -> Tensor { scalar("ge", value, ct_ge_scalar) }
  /// Where an element is at least the other.
  public func atLeast(_ other: Tensor) -> Tensor { binary("ge", other, ct_ge) }
  /// Where both are true.
  public func and(_ other: Tensor) -> Tensor { binary("logical_and", other, ct_logical_and) }
  /// Where an element is neither infinite nor NaN.
  public func isFinite() -> Tensor { unary("isfinite", ct_isfinite) }
  /// `x` where this mask holds, else `y`.
  public func choose(_ x: Tensor, _ y: Tensor) -> Tensor {
    make("where", [self, x, y]) { ct_where(handle, x.handle, y.handle, $0) }
  }
  /// `value` where the mask holds, else this tensor's element.
  public func filled(where mask: Tensor, with value: Double) -> Tensor {
    make("masked_fill", [self, mask]) { ct_masked_fill(handle, mask.handle, value, $0) }
  }
}
