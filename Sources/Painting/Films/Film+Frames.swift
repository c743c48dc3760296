// What is painted for single frames.

extension Film {
  /// Whether a frame, counted from 0, is painted and not made of others.
  func isPainted(_ frame: Int) -> Bool {
    let turbo = turbo ?? 1
    return turbo == 1 || frame <= preroll ?? 10 || frame % turbo == 0
  }

  /// The request of a frame, counted from 0, that begins from the one before.
  func request(_ scene: Request, frame: Int, method: Method) -> Request {
    var request = scene
    request.seed = scene.seed.map { $0 + frame }
    guard frame > 0 else { return request }
    if method.argument("skipSteps") != nil {
      // At least one step is taken; with none left out, nothing of the frame before is to be left.
      let steps = scene.iterations ?? 50
      let skipped = min(steps - 1, Int((Double(steps) * (skip ?? 0.6)).rounded()))
      request.arguments["skipSteps"] = .integer(skipped)
      if skipped == 0 { request.arguments["start"] = .number(1) }
    }
    if let nearness, nearness > 0 {
      let held = PartSpec(
        "start", weight: nearness, ["kind": .string(StartObjective.Measure.pixels.rawValue)])
      request.objectives = (request.objectives ?? []) + [held]
    }
    return request
  }
}

extension Request {
  /// The request of a picture between this one's and another's, which differ by seed or by prompts.
  func mixed(with other: Request, _ share: Double) -> Request {
    guard share > 0 else { return self }
    var request = self
    if seed != other.seed {
      (request.variationSeed, request.variationStrength) = (other.seed, share)
    }
    guard prompts != other.prompts || prompt != other.prompt else { return request }
    func weighted(_ prompts: [Prompt]?, _ share: Double) -> [Prompt] {
      (prompts ?? []).map { prompt in
        var prompt = prompt
        prompt.weight *= share
        return prompt
      }
    }
    request.prompts = weighted(prompts, 1 - share) + weighted(other.prompts, share)
    return request
  }
}
