import CTorch

// The operations of neural networks that hold no weights of their own.

extension Tensor {
  /// `x Wᵀ + b` over the last dimension; `weight` is `[out, in]`.
  public func linear(_ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
    make("linear", [self, weight]) { ct_linear(handle, weight.handle, bias?.handle, $0) }
  }

  /// Cross-correlation of `[B, C, H, W]` with `[O, C / groups, k, k]`, zero padding on all sides.
  public func conv2d(
    _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, groups: Int = 1
  ) -> Tensor {
    make("conv2d", [self, weight]) {
      ct_conv2d(
        handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), Int64(groups), $0)
    }
  }

  /// What stands behind a normalisation.
  public enum Activation: Int32, Sendable {
    case none, silu, relu
  }

  /// Group normalisation (Wu & He 2018) over `[B, C, …]`; statistics are computed in float32.
  ///
  /// All in one pass, and with one tensor kept for the gradient, for pictures on the CPU whose channels, a multiple
  /// of 16, lie last.
  /// - Parameters:
  ///   - modulation: `[B, C, 1, 1]` each: the result is multiplied by one more than `scale`, and `shift` is added.
  ///   - activation: what is applied at the end.
  public func groupNorm(
    _ groups: Int, _ weight: Tensor? = nil, _ bias: Tensor? = nil, eps: Double = 1e-5,
    modulation: (scale: Tensor, shift: Tensor)? = nil, then activation: Activation = .none
  ) -> Tensor {
    make("group_norm", [self]) {
      ct_group_norm(
        handle, Int64(groups), weight?.handle, bias?.handle, modulation?.scale.handle,
        modulation?.shift.handle, eps, activation.rawValue, $0)
    }
  }

  /// Layer normalisation (Ba et al. 2016) over the last dimension; statistics are computed in float32.
  public func layerNorm(_ weight: Tensor? = nil, _ bias: Tensor? = nil, eps: Double = 1e-5)
    -> Tensor
  {
    make("layer_norm", [self]) {
      ct_layer_norm(handle, Int64(size(-1)), weight?.handle, bias?.handle, eps, $0)
    }
  }

  /// Rows of this `[K, D]` table that `indices` name: `[…]` to `[…, D]`.
  public func embedding(_ indices: Tensor) -> Tensor {
    make("embedding", [self, indices]) { ct_embedding(handle, indices.handle, $0) }
  }

  /// Mean negative log-likelihood of `targets` `[B]` under these logits `[B, K]`; rows whose target
  /// is `ignoring` do not count.
  public func crossEntropy(_ targets: Tensor, ignoring: Int = -100, smoothing: Double = 0) -> Tensor
  {
    make("cross_entropy", [self, targets]) {
      ct_cross_entropy(handle, targets.handle, Int64(ignoring), smoothing, $0)
    }
  }

  /// Batch normalisation (Ioffe & Szegedy 2015) of `[B, C, …]`.
  /// - Parameters:
  ///   - statistics: mean and variance of each channel, `[C]`.
  ///   - momentum: normalises by the batch's own statistics, towards which those given move by so much, in
  ///     place; nil normalises by those given.
  public func batchNorm(
    _ weight: Tensor?, _ bias: Tensor?, statistics: (mean: Tensor, variance: Tensor),
    momentum: Double? = nil, eps: Double = 1e-5
  ) -> Tensor {
    make("batch_norm", [self]) {
      ct_batch_norm(
        handle, weight?.handle, bias?.handle, statistics.mean.handle, statistics.variance.handle,
        momentum != nil, momentum ?? 0, eps, $0)
    }
  }

  /// The first half along `dim` times the sigmoid of the second: a gated linear unit (Dauphin et al. 2017).
  public func gated(over dim: Int) -> Tensor {
    make("glu", [self]) { ct_glu(handle, Int64(dim), $0) }
  }

  /// Mean of each `size` x `size` tile; tiles lie side by side unless `stride` says otherwise, and zeros
  /// around the picture count.
  public func averagePooled(_ size: Int, stride: Int? = nil, padding: Int = 0) -> Tensor {
    make("avg_pool2d", [self]) {
      ct_avg_pool2d(handle, Int64(size), Int64(stride ?? size), Int64(padding), $0)
    }
  }
  /// Largest value of each `size` x `size` tile; tiles lie side by side unless `stride` says otherwise.
  public func maxPooled(_ size: Int, stride: Int? = nil) -> Tensor {
    make("max_pool2d", [self]) { ct_max_pool2d(handle, Int64(size), Int64(stride ?? size), $0) }
  }
  /// Means over a grid of `height` x `width` nearly equal areas.
  public func adaptiveAveragePooled(_ height: Int, _ width: Int) -> Tensor {
    make("adaptive_avg_pool2d", [self]) {
      ct_adaptive_avg_pool2d(handle, Int64(height), Int64(width), $0)
    }
  }
  /// Largest values over a grid of `height` x `width` nearly equal areas.
  public func adaptiveMaxPooled(_ height: Int, _ width: Int) -> Tensor {
    make("adaptive_max_pool2d", [self]) {
      ct_adaptive_max_pool2d(handle, Int64(height), Int64(width), $0)
    }
  }

  /// How `upsampled` and `gridSampled` read between pixels.
  public enum Interpolation: Int32, Sendable {
    case nearest, bilinear, bicubic
  }
  /// `[B, C, H, W]` resampled to another height and width; `antialias` filters when shrinking.
  public func resampled(
    _ height: Int, _ width: Int, _ mode: Interpolation = .bilinear, alignCorners: Bool = false,
    antialias: Bool = false
  ) -> Tensor {
    make("interpolate", [self]) {
      ct_upsample(
        handle, Int64(height), Int64(width), mode.rawValue, alignCorners, antialias, $0)
    }
  }

  /// What `gridSampled` reads outside the picture.
  public enum Outside: Int32, Sendable {
    case zeros, border, reflection
  }
  /// `[B, C, H, W]` read at `grid` `[B, h, w, 2]`, whose (x, y) run from -1 to 1.
  public func gridSampled(
    _ grid: Tensor, _ mode: Interpolation = .bilinear, outside: Outside = .zeros,
    alignCorners: Bool = false
  ) -> Tensor {
    // ATen numbers these otherwise than it does for resampling.
    let number: Int32 =
      switch mode {
      case .bilinear: 0
      case .nearest: 1
      case .bicubic: 2
      }
    return make("grid_sample", [self, grid]) {
      ct_grid_sample(handle, grid.handle, number, outside.rawValue, alignCorners, $0)
    }
  }
}

/// Scaled dot-product attention (Vaswani et al. 2017) of `q` `[B, N, T, D]` on `k`, `v` `[B, N, S, D]`.
///
/// On the CPU two batched products with a softmax that computes in float32: for the short sequences of this family
/// that is several times faster than libtorch's fused kernel, which CUDA takes.
/// - Parameter mask: added to the scores; broadcasts to `[B, N, T, S]`.
/// - Returns: `[B, N, T, D]`
public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor? = nil) -> Tensor {
  if case .cuda = q.device {
    let mask = mask?.to(q.dtype)
    return withExtendedLifetime(mask) {
      make("attention", [q, k, v]) {
        ct_attention(q.handle, k.handle, v.handle, mask?.handle, false, $0)
      }
    }
  }
  let scale = 1 / Double(q.size(-1)).squareRoot()
  var scores = (q * scale).matmul(k.transposed())  // [B, N, T, S]
  if let mask { scores = scores.to(.float32) + mask }
  return scores.softmax(over: -1).to(v.dtype).matmul(v)
}
