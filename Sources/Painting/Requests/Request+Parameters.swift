extension Request {
  /// Every parameter but the prompt, in the order of help and JSON.
  public static let parameters: [ParameterDeclaration] = picture + wishes + guided + sampling

  /// The declaration of the parameter `name`.
  public static func parameter(_ name: String) -> ParameterDeclaration? {
    parameters.first { $0.name == name }
  }

  private static let picture: [ParameterDeclaration] = [
    .method("method", \.method, .picture, "How to paint"),
    .integer("width", \.width, 16...4096, .picture, standard: 256, "Width in pixels"),
    .integer("height", \.height, 16...4096, .picture, standard: 256, "Height in pixels"),
    .seed(
      "seed", \.seed, .picture,
      "Where the random numbers start, a number or any word; the same seed gives the same picture"),
    .file("initImage", \.initImage, .picture, .guided, "A picture to begin from"),
    .choice(
      "initFit", \.initFit, .picture, .guided, standard: .crop,
      "How that becomes a picture of the size asked for"),
    .choice(
      "initNoise", \.initNoise, .picture, .guided,
      "What to begin from where there is no picture; the method's own way if left out"),
    .text(
      "clip", \.clip, limit: 400, .picture, .all,
      "Installed CLIPs that judge the picture, as ID or ID:WEIGHT, several by commas; 'pack' is the "
        + "pack's own"),
    .text(
      "model", \.model, limit: 100, .picture, .drawing, "The installed network that draws"),
  ]

  private static let wishes: [ParameterDeclaration] = [
    .prompts("prompts", \.prompts, .prompts, .guided, "Prompts in their structured form"),
    .file(
      "blend", \.blend, .prompts, .guided,
      "A picture whose embedding is averaged with each text's"),
    .file(
      "mask", \.mask, .prompts, .guided,
      "A picture that is black where prompts of the inside look and white where those of the outside "
        + "do; without it the inside is a disc"),
    .choice(
      "pictureViews", \.pictureViews, .prompts, .guided, standard: .once,
      "When pictures that are wanted are cut into views: once, at each step into the views of the "
        + "picture that is painted, or at each step into others"),
    .integer(
      "sceneIterations", \.sceneIterations, 1...100_000, .prompts, .guided,
      "Iterations of a scene (scenes are separated by ^) before the next; shared evenly if left out"
    ),
  ]

  private static let guided: [ParameterDeclaration] = [
    .integer(
      "iterations", \.iterations, 1...100_000, .optimisation, .guided, standard: 150,
      "Steps of the optimisation"),
    .integer(
      "cutouts", \.cutouts, 1...512, .optimisation, .guided, standard: 16,
      "Views of the picture shown to CLIP at each step"),
    .choice(
      "cutMode", \.cutMode, .optimisation, .guided, standard: .balanced, "How views are cut"),
    .number(
      "cutPower", \.cutPower, 0.1...10, .optimisation, .guided, standard: 1,
      "Above one for smaller squares, below for larger"),
    .numbers(
      "cutSizes", \.cutSizes, 0.01...1, most: 3, .optimisation, .guided,
      "Least and largest square of the way deep-daze as shares of the shorter side, and, if wanted, "
        + "what the least has risen to by the end"),
    .numbers(
      "cutSpread", \.cutSpread, 0.01...1, most: 2, .optimisation, .guided,
      "Mean and deviation of the sizes of the way deep-daze, which are even if left out"),
    .number(
      "cutCenter", \.cutCenter, 0.1...100, .optimisation, .guided,
      "How closely the squares of the ways big-sleep and deep-daze gather round the middle; they lie "
        + "evenly if left out"),
    .augmentations(
      "augmentations", \.augmentations, .optimisation, .guided,
      "What is done to the views; left out, what belongs to the way of cutting"),
    .number(
      "averagingWeight", \.averagingWeight, 0...1, .optimisation, .guided, standard: 0,
      "How much the mean of all views is to fit, beside each view by itself"),
    .number(
      "learningRate", \.learningRate, 0.000001...1_000, .optimisation, .optimised, standard: 0.1,
      "Length of a step"),
    .numbers(
      "learningRateDrops", \.learningRateDrops, 0...100, most: 16, .optimisation, .optimised,
      standard: [], "Percentages of the iterations at which the step becomes a tenth"),
    .choice(
      "optimizer", \.optimizer, .optimisation, .optimised, standard: .adam,
      "How the step is found from the gradient"),
    .number(
      "weightDecay", \.weightDecay, 0...1, .optimisation, .optimised,
      "How fast the optimiser adamw pulls the parameters to zero; 0.01 if left out"),
    .integer(
      "accumulate", \.accumulate, 1...64, .optimisation, .guided, standard: 1,
      "Sets of views whose gradients are averaged for one step"),
    .number(
      "ema", \.ema, 0...0.9999, .optimisation, .optimised, standard: 0,
      "How slowly the average of the parameters follows, which is then the picture; 0 is without"),
    .integer(
      "patience", \.patience, 1...100_000, .optimisation, .optimised,
      "Iterations without a better picture after which the step is dropped or painting ends"),
    .parts(
      "objectives", \.objectives, .objective, .optimisation, .guided,
      "What is wanted beside the prompts"),
    .parts(
      "filters", \.filters, .filter, .optimisation, .guided,
      "What is done to the picture before anybody sees it"),
    .file(
      "overlay", \.overlay, .optimisation, .optimised,
      "A picture that is laid over the one that is painted, again and again"),
    .integer(
      "overlayEvery", \.overlayEvery, 1...100_000, .optimisation, .optimised, standard: 10,
      "After how many iterations again"),
    .number(
      "overlayAlpha", \.overlayAlpha, 0...1, .optimisation, .optimised, standard: 0.5,
      "How much of the overlay is seen"),
    .integer(
      "overlayUntil", \.overlayUntil, 0...100_000, .optimisation, .optimised,
      "The iteration from which the overlay stays away"),
  ]

  private static let sampling: [ParameterDeclaration] = [
    .integer(
      "candidates", \.candidates, 1...64, .sampling, .only([.dalle]), standard: 8,
      "Pictures sampled, of which CLIP picks the best"),
    .integer(
      "rank", \.rank, 1...64, .sampling, .only([.dalle]), standard: 1,
      "Which of the candidates to keep, 1 being the best"),
    .number(
      "conditionScale", \.conditionScale, 0...20, .sampling, .only([.dalle, .diffusion]),
      standard: 2,
      "How strongly the text is followed"),
    .number(
      "temperature", \.temperature, 0.01...10, .sampling, .only([.dalle]), standard: 0.7,
      "How freely tokens are chosen"),
    .integer(
      "topK", \.topK, 1...65_536, .sampling, .only([.dalle]), standard: 50,
      "Number of likeliest tokens to choose among"),
    .choice(
      "precision", \.precision, .execution, standard: .auto, "The type in which networks compute"),
  ]
}
