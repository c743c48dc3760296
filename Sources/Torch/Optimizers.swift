import CTorch

/// AdamW (Loshchilov & Hutter 2019); with `decay` zero it is Adam (Kingma & Ba 2015).
///
/// Moments and parameters are float32. One fused call updates all parameters.
public final class AdamW {
  /// The parameters, changed in place by `step`.
  public let parameters: [Tensor]
  private let first: [Tensor]
  private let second: [Tensor]
  private let steps: [Tensor]
  private let beta1: Double
  private let beta2: Double
  private let eps: Double
  private let decay: Double

  /// - Parameters:
  ///   - parameters: variables in float32.
  ///   - betas: decay rates of the two moments.
  ///   - eps: added to the root of the second moment.
  ///   - decay: decoupled weight decay, per unit of learning rate.
  public init(
    _ parameters: [Tensor], betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    decay: Double = 0
  ) {
    self.parameters = parameters
    first = parameters.map { .zeros($0.shape, device: $0.device) }
    second = parameters.map { .zeros($0.shape, device: $0.device) }
    steps = parameters.map { .zeros([], device: $0.device) }
    (beta1, beta2) = betas
    self.eps = eps
    self.decay = decay
  }

  /// One step down `gradients` with learning rate `rate`.
  public func step(_ gradients: [Tensor], rate: Double) {
    precondition(gradients.count == parameters.count, "one gradient for each parameter")
    let gradients = gradients.map { $0.to(.float32).contiguous() }
    must("adamw") {
      ct_adamw_(
        parameters.map { $0.handle }, gradients.map { $0.handle }, first.map { $0.handle },
        second.map { $0.handle }, steps.map { $0.handle }, Int32(parameters.count), rate, beta1,
        beta2, decay, eps)
    }
  }

  /// Moments and step counts, in the order of the parameters: what a checkpoint must keep.
  public var state: [(key: String, tensor: Tensor)] {
    parameters.indices.flatMap { i in
      [("\(i).first", first[i]), ("\(i).second", second[i]), ("\(i).step", steps[i])]
    }
  }
}

/// Scales gradients together so that their common 2-norm is at most `limit`; returns that norm from
/// before. Gradients that are not finite are left as they are, for the caller to skip.
public func clipNorm(_ gradients: [Tensor], to limit: Double) -> Double {
  var norm = 0.0
  let handles = gradients.map { Optional($0.handle) }
  must("total norm") { ct_total_norm(handles, Int32(gradients.count), &norm) }
  if norm.isFinite, norm > limit {
    must("scale") { ct_scale_(handles, Int32(gradients.count), limit / norm) }
  }
  return norm
}

/// Moves `averages` towards `values` in place: `a += (v - a) * (1 - decay)`.
public func updateAverages(_ averages: [Tensor], towards values: [Tensor], decay: Double) {
  must("lerp") {
    ct_lerp_(averages.map { $0.handle }, values.map { $0.handle }, Int32(averages.count), 1 - decay)
  }
}
