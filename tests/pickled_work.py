"""Workers that are told what they do as those in other processes are, without the processes."""

import pickle


class PickledWork:
    """Fulfils `Workers`: what it is given goes through pickle, and so do its results."""

    are_many = True

    def __init__(self):
        self.pieces = []

    def do(self, work, pieces, tell):
        for piece in pieces:
            self.pieces.append(piece)
            work_there, piece_there = pickle.loads(pickle.dumps((work, piece)))
            yield pickle.loads(pickle.dumps(work_there(tell, piece_there)))
