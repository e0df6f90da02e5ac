import numpy
import pandas


def handler(event, context):
    frame = pandas.DataFrame({"value": event["values"]})
    solved = numpy.linalg.solve(numpy.array([[2.0, 0.0], [0.0, 4.0]]), numpy.array([2.0, 8.0]))
    return {"mean": float(frame["value"].mean()), "solved": solved.tolist()}
