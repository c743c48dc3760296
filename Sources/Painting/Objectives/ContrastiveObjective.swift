import Torch

extension ObjectiveKind {
  static let contrastive = ObjectiveKind(
    "contrastive", "views that fit one text rather than others, told apart as CLIP learned to",
    arguments: [
      .text("than", "The other texts, by ; as in a dog;a cat"),
      .text("text", "The text that is wanted; the prompt's first if left out"),
    ]
  ) { context in
    let painting = try context.ofPainting()
    let (networks, request) = (painting.networks, painting.request)
    let others = (context.text("than") ?? "").split(separator: ";").map { String($0).trimmed }
      .filter { !$0.isEmpty }
    guard !others.isEmpty else {
      throw RequestError.badValue(
        field: "contrastive", reason: "needs other texts: contrastive,than=a dog;a cat")
    }
    guard
      let wanted = try context.text("text")
        ?? request.scenes().joined().lazy.compactMap(\.text).first
    else {
      throw RequestError.badValue(
        field: "contrastive", reason: "needs the text that is wanted: contrastive,text=a fox")
    }
    return ContrastiveObjective(
      texts: try networks.perceptors(request).map { perceptor in
        concatenated(([wanted] + others).map { perceptor.embedding(of: $0) }, over: 0)
      })
  }
}

/// Views that fit one text rather than others: CLIP's own loss from the side of the pictures (EleutherAI's
/// `one_sided_clip_loss`), the mean over the perceptors.
struct ContrastiveObjective: Objective {
  /// Embeddings of all texts for each perceptor, `[M, E]`.
  let texts: [Tensor]
  /// Which of them is wanted.
  var wanted = 0

  func loss(_ observation: Observation) -> Tensor? {
    let losses = zip(observation.views, texts).map { views, texts in
      let count = views.embeddings.size(0)
      let labels = Tensor(Array(repeating: wanted, count: count), [count])
      return oneSidedCLIPLoss(
        views.embeddings, texts, labels: labels.to(views.embeddings.device))
    }
    return total(losses).map { $0 / Double(losses.count) }
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
