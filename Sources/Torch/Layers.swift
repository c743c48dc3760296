/// `y = x Wᵀ + b` over the last dimension.
///
/// Weights: `weight` `[out, in]`, `bias` `[out]`.
public struct Linear {
  /// The weights as they are held.
  public let matrix: Matrix
  /// Added at the end, or nothing.
  public let bias: Tensor?

  /// The weights in floating point.
  public var weight: Tensor { matrix.floats }

  /// A layer at `p` from `inputs` to `outputs` features.
  /// - Parameter eightBits: whether its weights may be held in eight bits, which is for few uses of each: they
  ///   become floating point for every one.
  public init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, bias: Bool = true, eightBits: Bool = false,
    initial: Initial = .kaimingUniform, initialBias: Initial = .zeros
  ) {
    matrix =
      eightBits
      ? p.matrix("weight", [outputs, inputs], initial)
      : .floats(p("weight", [outputs, inputs], initial))
    self.bias = bias ? p("bias", [outputs], initialBias) : nil
  }

  /// `[…, in]` to `[…, out]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard let rows = matrix.rows else { return x.linear(weight, bias) }
    return x.linear(rows.floats.to(x.dtype), bias)
  }
}

/// Two-dimensional convolution.
///
/// Weights: `weight` `[out, in, k, k]`, `bias` `[out]`.
public struct Conv2d {
  /// The weights.
  public let weight: Tensor
  /// Added at the end, or nothing.
  public let bias: Tensor?
  let stride: Int
  let padding: Int

  /// A layer at `p`; `padding` defaults to what keeps the size at stride one.
  public init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1,
    padding: Int? = nil, bias: Bool = true, initial: Initial = .kaimingUniform
  ) {
    weight = p("weight", [outputs, inputs, kernel, kernel], initial)
    self.bias = bias ? p("bias", [outputs], .zeros) : nil
    self.stride = stride
    self.padding = padding ?? (kernel - 1) / 2
  }

  /// `[B, in, H, W]` to `[B, out, H', W']`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.conv2d(weight, bias, stride: stride, padding: padding)
  }
}

/// Group normalisation (Wu & He 2018).
///
/// Weights, always float32: `weight` `[C]`, `bias` `[C]`.
public struct GroupNorm {
  /// The weights.
  public let weight: Tensor
  let bias: Tensor
  let groups: Int
  let eps: Double

  /// A layer at `p` for `channels` channels in `groups` groups.
  public init(_ p: Parameters, _ groups: Int, _ channels: Int, eps: Double = 1e-5) {
    weight = p("weight", [channels], .ones, .precise)
    bias = p("bias", [channels], .zeros, .precise)
    self.groups = groups
    self.eps = eps
  }

  /// `[B, C, …]` to the same shape and type; see ``Tensor/groupNorm(_:_:_:eps:modulation:then:)``.
  public func callAsFunction(
    _ x: Tensor, modulation: (scale: Tensor, shift: Tensor)? = nil,
    then activation: Tensor.Activation = .none
  ) -> Tensor {
    func normalised(_ x: Tensor) -> Tensor {
      x.groupNorm(groups, weight, bias, eps: eps, modulation: modulation, then: activation)
    }
    guard x.device == .cpu || x.dtype == weight.dtype else {
      return normalised(x.to(weight.dtype)).to(x.dtype)
    }
    return normalised(x)
  }
}

/// Layer normalisation (Ba, Kiros & Hinton 2016) over the last dimension.
///
/// Weights, always float32: `weight` `[D]`, `bias` `[D]`, either of which a model may go without.
public struct LayerNorm {
  let weight: Tensor?
  /// Added at the end, or nothing.
  public let bias: Tensor?
  let eps: Double

  /// A layer at `p` over `width` features.
  public init(_ p: Parameters, _ width: Int, eps: Double = 1e-5, scale: Bool = true) {
    weight = scale ? p("weight", [width], .ones, .precise) : nil
    bias = p("bias", [width], .zeros, .precise)
    self.eps = eps
  }

  /// `[…, D]` to the same shape and type.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    // Only the CPU's kernel takes activations and gains of two types, and only both gains at once.
    guard x.dtype != .float32, x.device != .cpu || weight == nil else {
      return x.layerNorm(weight, bias, eps: eps)
    }
    return x.to(.float32).layerNorm(weight, bias, eps: eps).to(x.dtype)
  }
}

/// A table of vectors.
///
/// Weights: `weight` `[K, D]`.
public struct Embedding {
  /// The table, `[K, D]`.
  public let weight: Tensor

  /// A table at `p` of `entries` vectors of `width` features.
  public init(_ p: Parameters, _ entries: Int, _ width: Int, initial: Initial = .normal(0.02)) {
    weight = p("weight", [entries, width], initial)
  }

  /// `[…]` int64 to `[…, D]`.
  public func callAsFunction(_ indices: Tensor) -> Tensor { weight.embedding(indices) }
}
