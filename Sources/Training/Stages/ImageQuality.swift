import Foundation
import Torch

/// How near one picture is to another.
public enum ImageQuality {
  /// Peak signal-to-noise ratio in decibels of pictures in 0…1, averaged over the batch.
  public static func psnr(_ x: Tensor, _ y: Tensor) -> Double {
    let errors = (x - y).square().mean(over: [1, 2, 3]).floats()  // [B]
    return errors.map { -10 * log10(Double(max($0, 1e-10))) }.reduce(0, +) / Double(errors.count)
  }

  /// Structural similarity (Wang et al. 2004) of pictures `[B, 3, H, W]` in 0…1, averaged over the
  /// batch: Gaussian window of 11 pixels and deviation 1.5, without padding, each channel by itself.
  public static func ssim(_ x: Tensor, _ y: Tensor) -> Double {
    // Variances are small differences of large numbers: never in a training's bfloat16.
    autocast(.float32, on: .cpu) { similarity(x, y).mean().item() }
  }

  private static func similarity(_ x: Tensor, _ y: Tensor) -> Tensor {
    let taps = (-5...5).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = taps.reduce(0, +)
    let window = taps.flatMap { a in taps.map { b in Float(a * b / (sum * sum)) } }
    let kernel = Tensor(window, [1, 1, 11, 11])
    func blur(_ z: Tensor) -> Tensor {
      z.reshaped(-1, 1, z.size(2), z.size(3)).conv2d(kernel)  // [B 3, 1, H - 10, W - 10]
    }
    let (x, y) = (x.to(.float32).to(.cpu), y.to(.float32).to(.cpu))
    let (mx, my) = (blur(x), blur(y))
    let vx = blur(x.square()) - mx.square()
    let vy = blur(y.square()) - my.square()
    let cov = blur(x * y) - mx * my
    let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
    return ((mx * my * 2 + c1) * (cov * 2 + c2))
      / ((mx.square() + my.square() + c1) * (vx + vy + c2))
  }

  /// Mean absolute difference between neighbours in both directions.
  static func differences(_ x: Tensor) -> Tensor {
    let (h, w) = (x.size(2), x.size(3))
    let dx = x.narrowed(3, 1, w - 1) - x.narrowed(3, 0, w - 1)
    let dy = x.narrowed(2, 1, h - 1) - x.narrowed(2, 0, h - 1)
    return dx.abs().mean() + dy.abs().mean()
  }
}
