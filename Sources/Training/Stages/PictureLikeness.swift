import Models
import Torch

/// Compares pictures by what CLIP's image tower makes of them, as perceptual losses do with VGG
/// (Johnson et al. 2016).
struct PictureLikeness {
  private let clip: CLIP

  init(_ clip: CLIP) { self.clip = clip }

  /// Mean squared distance of the features of the same random window, of CLIP's own size and at the
  /// pictures' own resolution, in both pictures `[B, 3, H, W]` in -1…1; smaller pictures are enlarged.
  func distance(_ x: Tensor, _ y: Tensor, _ stream: RandomStream) -> Tensor {
    let side = clip.config.vision.imageSize
    let at = stream.uniform([2]).floats().map(Double.init)
    func window(_ z: Tensor) -> Tensor {
      guard z.size(2) > side else { return (z.resampled(side, side) + 1) / 2 }
      let top = Int(at[0] * Double(z.size(2) - side + 1))
      let left = Int(at[1] * Double(z.size(3) - side + 1))
      return (z.narrowed(2, top, side).narrowed(3, left, side) + 1) / 2
    }
    let known = noGrad { clip.features(of: window(x)) }
    let distances = zip(known, clip.features(of: window(y))).map { ($0 - $1).square().mean() }
    return distances.dropFirst().reduce(distances[0], +) / Double(distances.count)
  }
}
