import Torch

/// When a picture that is wanted is cut into the views whose embeddings are wanted.
public enum PictureViews: String, Sendable, Hashable, CaseIterable, Codable {
  /// Once, before painting begins (nerdyrodent).
  case once
  /// At each step, into the views that are taken of the picture that is painted (pixray).
  case same
  /// At each step, into views of its own (pixray's `image_prompt_shuffle`).
  case other
}

/// The wish that views fit those of a picture, which is cut anew in every iteration.
struct PictureObjective: Objective {
  /// The picture, `[1, 3, H, W]` in 0…1.
  let picture: Tensor
  /// Embeddings `[M, E]` of views of the picture in an iteration; nil takes the views that are taken of
  /// the painted picture.
  let embeddings: ((_ iteration: Int) -> Tensor)?
  /// Which perceptor's views are measured.
  let perceptor: Int
  /// As a prompt has them.
  let prompt: (region: Prompt.Region, weight: Double, stop: Double, averaging: Double)

  func loss(_ observation: Observation) -> Tensor? {
    let targets = noGrad {
      embeddings?(observation.iteration) ?? observation.views[perceptor].embeddingsOfOther?(picture)
    }
    return targets.flatMap {
      PromptObjective(
        $0, perceptor: perceptor, region: prompt.region, weight: prompt.weight, stop: prompt.stop,
        averaging: prompt.averaging
      ).loss(observation)
    }
  }
}
