import Models
import Torch

/// A high score by a head on CLIP's embeddings, trained on how people rated pictures (pixray's
/// `aesthetic`, with LAION's heads): `0.02 mean((score - target)²)`.
struct AestheticObjective: Objective {
  /// The scores `[B]` of embeddings `[B, E]` of length one.
  let score: (Tensor) -> Tensor
  /// Which perceptor's embeddings the head reads.
  var perceptor = 0
  /// The score wanted.
  var target = 10.0

  func loss(_ observation: Observation) -> Tensor? {
    guard observation.views.indices.contains(perceptor) else { return nil }
    let scores = score(observation.views[perceptor].embeddings.to(.float32).normalized())
    return (scores - target).square().mean() * 0.02
  }
}

extension ObjectiveKind {
  /// A high score by an installed aesthetic head.
  static let aesthetic = ObjectiveKind(
    "aesthetic", "A high score by a head that learned how people rate pictures (install one)",
    arguments: [
      .text("head", "The installed head; the first that there is if left out"),
      .number("target", 0...20, default: 10, "The score wanted, where ten is the best"),
    ]
  ) { context in
    let painting = try context.ofPainting()
    let networks = painting.networks
    let head = try networks.network(AestheticHead.self, of: context.text("head"), .float32)
    let widths = try networks.perceptors(painting.request).map(\.clip.config.embedDim)
    guard let perceptor = widths.firstIndex(of: head.config.width) else {
      throw RequestError.badValue(
        field: "aesthetic",
        reason: "reads embeddings of \(head.config.width) numbers, and the perceptors give "
          + widths.map(String.init).joined(separator: ", ")
          + "; choose the CLIP that it was trained on with --clip")
    }
    return AestheticObjective(
      score: { head($0) }, perceptor: perceptor, target: context.number("target"))
  }
}
