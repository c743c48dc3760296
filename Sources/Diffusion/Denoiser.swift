import Torch

/// Finds the picture in noise.
///
/// Denoisers are made of a network by `NetworkDenoiser` and wrapped in one another: `thresholded`,
/// `guided`. Call them with gradients enabled, not within `noGrad`: guidance needs them.
public protocol Denoiser {
  /// - Parameters:
  ///   - x: pictures `[B, C, H, W]` or embeddings `[B, C]`, at this level.
  ///   - level: of all of them.
  /// - Returns: what is found, of the same shape.
  func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised
}

/// What a denoiser found in `x` at a level.
public struct Denoised {
  /// The picture.
  public var x0: Tensor
  /// The noise.
  public var eps: Tensor
  /// The velocity `alpha eps - sigma x0`, where the network predicts that.
  public var v: Tensor?
  /// The logarithm of the variance of a DDPM step, as a place between the smallest (0) and the largest
  /// (1) that it may have; nil where the network has not learnt one.
  public var variance: Tensor?
  /// What guidance has changed in it; nil where there was none.
  public var guidance: Guidance?

  /// What `cond_fn` has added.
  public struct Guidance {
    /// The picture before.
    public var x0: Tensor
    /// The gradient of the logarithm of the probability at `x`, times the scale.
    public var grad: Tensor
  }

  init(v: Tensor, of x: Tensor, at level: NoiseLevel) {
    x0 = x * level.alpha - v * level.sigma
    eps = x * level.sigma + v * level.alpha
    self.v = v
  }

  init(eps: Tensor, of x: Tensor, at level: NoiseLevel) {
    x0 = (x - eps * level.sigma) / level.alpha
    self.eps = eps
  }

  init(x0: Tensor, of x: Tensor, at level: NoiseLevel) {
    self.x0 = x0
    // In a clean picture there is no noise to find.
    eps = level.sigma > 0 ? (x - x0 * level.alpha) / level.sigma : x0 * 0
  }

  /// The same without history.
  public func detached() -> Denoised {
    var copy = self
    (copy.x0, copy.eps) = (x0.detached(), eps.detached())
    (copy.v, copy.variance) = (v?.detached(), variance?.detached())
    return copy
  }
}
