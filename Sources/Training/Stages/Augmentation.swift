import Foundation
import Torch

/// Random views of pictures, for networks that must recognise them in many shapes: turned, scaled,
/// shifted, recoloured, blurred and noised, each picture by itself.
struct Augmentation {
  /// Largest turn, in degrees.
  var turn = 12.0
  /// Largest change of scale, as a part.
  var scale = 0.15
  /// Largest shift, as a part of half the side.
  var shift = 0.12
  /// Largest change of brightness and contrast, as a part.
  var light = 0.15
  /// Largest deviation of the noise on values in -1…1.
  var noise = 0.12
  /// Part of the pictures shown at half the resolution.
  var blurred = 0.3

  /// For networks that will be climbed: whole pictures and parts of them, with the noise that a climb
  /// makes on its way.
  static let views = Augmentation(
    turn: 15, scale: 0.35, shift: 0.3, light: 0.2, noise: 0.3, blurred: 0.3)

  /// `x` is `[B, 3, H, W]` in -1…1; so is what comes back, but for the noise.
  /// - Parameter stream: of the device that `x` is on.
  func callAsFunction(_ x: Tensor, _ stream: RandomStream) -> Tensor {
    let (b, h, w) = (x.size(0), x.size(2), x.size(3))
    func draw(_ shape: [Int] = []) -> Tensor { stream.uniform([b] + shape) * 2 - 1 }  // -1…1
    let angle = draw() * (turn * .pi / 180)
    let size = draw() * scale + 1
    let (c, s) = (angle.cos() * size, angle.sin() * size)
    let (tx, ty) = (draw() * shift, draw() * shift)
    // Where each pixel of the result looks in the picture: [B, H, W, 2].
    let across = Tensor.arange(0..<w, .float32, device: x.device)
    let down = Tensor.arange(0..<h, .float32, device: x.device)
    let xs = (across * 2 + 1).reshaped(1, 1, w) / Double(w) - 1
    let ys = (down * 2 + 1).reshaped(1, h, 1) / Double(h) - 1
    func column(_ t: Tensor) -> Tensor { t.reshaped(b, 1, 1) }
    let gx = column(c) * xs - column(s) * ys + column(tx)
    let gy = column(s) * xs + column(c) * ys + column(ty)
    var y = x.gridSampled(stacked([gx, gy], over: 3), outside: .border)

    let soft = y.averagePooled(2).resampled(h, w, .bilinear)
    y = stream.uniform([b, 1, 1, 1]).less(than: blurred).choose(soft, y)
    y = y * (draw([1, 1, 1]) * light + 1) + draw([3, 1, 1]) * light
    return y + stream.normal(x.shape) * (stream.uniform([b, 1, 1, 1]) * noise)
  }
}
