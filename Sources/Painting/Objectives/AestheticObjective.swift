import Torch

/// A high score by a linear head on CLIP's embeddings, trained on how people rated pictures (pixray's
/// `aesthetic`, with LAION's head for ViT-B/16): `0.02 mean((score - 10)²)`.
struct AestheticObjective: Objective {
  /// `[1, E]`
  let weight: Tensor
  /// `[1]`
  let bias: Tensor
  /// Which perceptor's embeddings the head reads.
  var perceptor = 0
  /// The score wanted.
  var target = 10.0

  func loss(_ sight: Sight) -> Tensor? {
    guard sight.views.indices.contains(perceptor) else { return nil }
    let scores = sight.views[perceptor].embeddings.normalized().linear(weight, bias)  // [B, 1]
    return (scores - target).square().mean() * 0.02
  }
}
