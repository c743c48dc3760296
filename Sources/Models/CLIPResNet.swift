import Foundation
import Torch

/// The residual networks of CLIP (Radford et al. 2021, section 2.4; He et al. 2016 with the stem and
/// the shortcuts of ResNet-D, blurring strides, and attention in place of the last pooling).
///
/// Follows `ModifiedResNet` of clip/model.py of openai/CLIP, keys verbatim. Differences: batch norms are
/// folded into the convolutions before them, so this network is for looking, not for training.
public struct ResNetTower: ImageEncoder {
  let stem: [NormedConv]
  let layers: [[Bottleneck]]
  let attnpool: AttentionPool
  let imageSize: Int

  /// A tower at `p`.
  public init(_ p: Parameters, _ config: CLIP.Config) {
    let (vision, width) = (config.vision, config.vision.width)
    attnpool = AttentionPool(
      p / "attnpool", grid: vision.imageSize / 32, width: 32 * width, heads: width / 2,
      outputs: config.embedDim)
    let dtype = attnpool.c_proj.weight.dtype
    stem = [(3, width / 2, 2), (width / 2, width / 2, 1), (width / 2, width, 1)].enumerated().map {
      index, sizes in
      NormedConv(
        p / "conv\(index + 1)", p / "bn\(index + 1)", sizes.0, sizes.1, kernel: 3,
        stride: sizes.2, dtype)
    }
    var inputs = width
    layers = vision.stages.enumerated().map { stage, count in
      let planes = width << stage
      return (0..<count).map { index in
        defer { inputs = 4 * planes }
        return Bottleneck(
          p / "layer\(stage + 1)" / index, inputs, planes,
          stride: stage > 0 && index == 0 ? 2 : 1, dtype)
      }
    }
    imageSize = vision.imageSize
  }

  /// - Parameter pixels: `[B, 3, H, W]`
  /// - Returns: `[B, E]` float32
  public func callAsFunction(_ pixels: Tensor) -> Tensor { attnpool(features(pixels)) }

  /// `[B, 3, H, W]` to `[B, 32 D, H / 32, W / 32]`.
  func features(_ pixels: Tensor) -> Tensor {
    precondition(
      pixels.rank == 4 && Array(pixels.shape.dropFirst()) == [3, imageSize, imageSize],
      "pixels of shape \(pixels.shape) for an image tower of \(imageSize) px")
    let x = pixels.to(stem[0].weight.dtype).contiguous(channelsLast: true)
    let stemmed = stem.reduce(x) { x, conv in conv(x).relu() }.averagePooled(2)  // [B, D, H/4, W/4]
    return layers.joined().reduce(stemmed) { x, block in block(x) }
  }
}

/// A convolution without bias and the batch norm after it, as one convolution:
///
/// ```
/// γ (w * x - μ) / √(σ² + ε) + β
/// ```
struct NormedConv {
  let weight: Tensor
  let bias: Tensor
  let stride: Int

  init(
    _ conv: Parameters, _ norm: Parameters, _ inputs: Int, _ outputs: Int, kernel: Int,
    stride: Int = 1, _ dtype: DType
  ) {
    let w = conv("weight", [outputs, inputs, kernel, kernel], .kaimingUniform, .precise)
    let gain = norm("weight", [outputs], .ones, .precise)
    let shift = norm("bias", [outputs], .zeros, .precise)
    let mean = norm("running_mean", [outputs], .zeros, .precise)
    let variance = norm("running_var", [outputs], .ones, .precise)
    let factor = gain * (variance + 1e-5).rsqrt()  // [out]
    weight = (w * factor.reshaped(-1, 1, 1, 1)).to(dtype)
    bias = (shift - mean * factor).to(dtype)
    self.stride = stride
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    x.conv2d(weight, bias, stride: stride, padding: (weight.size(2) - 1) / 2)
  }
}

/// Three convolutions beside a shortcut; where the picture is to shrink, both are pooled.
struct Bottleneck {
  let conv1: NormedConv, conv2: NormedConv, conv3: NormedConv
  let downsample: NormedConv?
  let stride: Int

  init(_ p: Parameters, _ inputs: Int, _ planes: Int, stride: Int, _ dtype: DType) {
    conv1 = NormedConv(p / "conv1", p / "bn1", inputs, planes, kernel: 1, dtype)
    conv2 = NormedConv(p / "conv2", p / "bn2", planes, planes, kernel: 3, dtype)
    conv3 = NormedConv(p / "conv3", p / "bn3", planes, 4 * planes, kernel: 1, dtype)
    let p = p / "downsample"
    downsample =
      stride > 1 || inputs != 4 * planes
      ? NormedConv(p / "0", p / "1", inputs, 4 * planes, kernel: 1, dtype) : nil
    self.stride = stride
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    func pooled(_ x: Tensor) -> Tensor { stride > 1 ? x.averagePooled(stride) : x }
    let h = conv3(pooled(conv2(conv1(x).relu()).relu()))
    return (h + (downsample?(pooled(x)) ?? x)).relu()
  }
}

/// One query, the mean over all positions, looks at all positions.
struct AttentionPool {
  let positional_embedding: Tensor  // [1 + G², C]
  let q_proj: Linear, k_proj: Linear, v_proj: Linear, c_proj: Linear
  let heads: Int

  init(_ p: Parameters, grid: Int, width: Int, heads: Int, outputs: Int) {
    positional_embedding = p(
      "positional_embedding", [1 + grid * grid, width], .normal(pow(Double(width), -0.5)))
    q_proj = Linear(p / "q_proj", width, width)
    k_proj = Linear(p / "k_proj", width, width)
    v_proj = Linear(p / "v_proj", width, width)
    c_proj = Linear(p / "c_proj", width, outputs)
    self.heads = heads
  }

  /// `[B, C, G, G]` to `[B, E]` float32.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (b, c) = (x.size(0), x.size(1))
    let places = x.reshaped(b, c, -1).transposed()  // [B, G², C]
    let mean = places.mean(over: [1], keepDims: true)
    let all = concatenated([mean, places], over: 1) + positional_embedding  // [B, 1 + G², C]
    func split(_ y: Tensor) -> Tensor {
      y.reshaped(b, -1, heads, c / heads).transposed(1, 2)  // [B, N, T, C/N]
    }
    let y = attention(split(q_proj(all.narrowed(1, 0, 1))), split(k_proj(all)), split(v_proj(all)))
    return c_proj(y.reshaped(b, c)).to(.float32)
  }
}
