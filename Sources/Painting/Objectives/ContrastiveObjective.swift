import Torch

/// Views that fit one text rather than others: CLIP's own loss from the side of the pictures (EleutherAI's
/// `one_sided_clip_loss`).
struct ContrastiveObjective: Objective {
  /// Embeddings of all texts, `[M, E]`.
  let texts: Tensor
  /// Which of them is wanted.
  var wanted = 0
  /// Which perceptor's views are measured.
  var perceptor = 0

  func loss(_ sight: Sight) -> Tensor? {
    guard sight.views.indices.contains(perceptor) else { return nil }
    let views = sight.views[perceptor].embeddings
    let labels = Tensor(Array(repeating: wanted, count: views.size(0)), [views.size(0)])
    return oneSidedCLIPLoss(views, texts, labels: labels.to(views.device))
  }
}

/// The cross-entropy of `100 cos(picture, text)` over the texts.
/// - Parameters:
///   - pictures: `[B, E]`
///   - texts: `[M, E]`
///   - labels: which text each picture belongs to, `[B]`.
func oneSidedCLIPLoss(_ pictures: Tensor, _ texts: Tensor, labels: Tensor) -> Tensor {
  (pictures.normalized().matmul(texts.normalized().transposed()) * 100).crossEntropy(labels)
}
