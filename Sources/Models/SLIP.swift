import Foundation
import Torch

/// The image tower of SLIP (Mu et al., "SLIP: Self-supervision meets Language-Image Pre-training",
/// 2021): timm's vision transformer and a projection.
///
/// Follows `models.py` of facebookresearch/SLIP (`CLIP` with `visual` from timm's
/// `vision_transformer.py`), keys verbatim. Its text tower is CLIP's.
public struct SLIPImageTower: ImageEncoder {
  let patch_embed: Conv2d
  let cls_token: Tensor  // [1, 1, D]
  let pos_embed: Tensor  // [1, 1 + G², D]
  let blocks: [SLIPBlock]
  let norm: LayerNorm
  let image_projection: Tensor  // [D, E]
  let imageSize: Int

  /// A tower with its transformer at `p / "visual"` and its projection at `p`.
  public init(_ root: Parameters, _ config: CLIP.Config) {
    let vision = config.vision
    let p = root / "visual"
    let grid = vision.imageSize / vision.patchSize
    patch_embed = Conv2d(
      p / "patch_embed" / "proj", 3, vision.width, kernel: vision.patchSize,
      stride: vision.patchSize, padding: 0)
    cls_token = p("cls_token", [1, 1, vision.width], .normal(0.02))
    pos_embed = p("pos_embed", [1, 1 + grid * grid, vision.width], .normal(0.02))
    blocks = (0..<vision.layers).map {
      SLIPBlock(
        p / "blocks" / $0, width: vision.width, heads: vision.heads, hidden: vision.hidden)
    }
    norm = LayerNorm(p / "norm", vision.width, eps: 1e-6)
    image_projection = root(
      "image_projection", [vision.width, config.embedDim],
      .normal(pow(Double(vision.width), -0.5)))
    imageSize = vision.imageSize
  }

  /// - Parameter pixels: `[B, 3, H, W]`
  /// - Returns: `[B, E]` float32
  public func callAsFunction(_ pixels: Tensor) -> Tensor {
    precondition(
      pixels.rank == 4 && Array(pixels.shape.dropFirst()) == [3, imageSize, imageSize],
      "pixels of shape \(pixels.shape) for an image tower of \(imageSize) px")
    let (b, d) = (pixels.size(0), cls_token.size(2))
    let patches = patch_embed(pixels.to(cls_token.dtype)).reshaped(b, d, -1).transposed()
    // [B, T, D]
    let x = concatenated([cls_token.expanded([b, 1, d]), patches], over: 1) + pos_embed
    let y = norm(blocks.reduce(x) { x, block in block(x) })
    return y.select(1, 0).matmul(image_projection).to(.float32)
  }
}

/// Attention, then two linear layers, each behind a layer norm and beside a shortcut.
struct SLIPBlock {
  let norm1: LayerNorm, qkv: Linear, proj: Linear, norm2: LayerNorm, fc1: Linear, fc2: Linear
  let heads: Int

  init(_ p: Parameters, width: Int, heads: Int, hidden: Int) {
    norm1 = LayerNorm(p / "norm1", width, eps: 1e-6)
    qkv = Linear(p / "attn" / "qkv", width, 3 * width)
    proj = Linear(p / "attn" / "proj", width, width)
    norm2 = LayerNorm(p / "norm2", width, eps: 1e-6)
    fc1 = Linear(p / "mlp" / "fc1", width, hidden)
    fc2 = Linear(p / "mlp" / "fc2", hidden, width)
    self.heads = heads
  }

  /// `[B, T, D]` to the same shape.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (b, t, d) = (x.size(0), x.size(1), x.size(2))
    let parts = qkv(norm1(x)).reshaped(b, t, 3, heads, d / heads).unbound(over: 2)
      .map { $0.transposed(1, 2) }  // [B, N, T, D/N] each
    let y = attention(parts[0], parts[1], parts[2])  // [B, N, T, D/N]
    let x = x + proj(y.transposed(1, 2).reshaped(b, t, d))
    return x + fc2(fc1(norm2(x)).gelu())
  }
}
